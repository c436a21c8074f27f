"""Who acts on a staff page, and what whoever acted is called there."""

from collections.abc import Mapping
from dataclasses import dataclass

from sanic import Request

from server.audit.models import ActorKind
from server.audit.records import Actor
from server.i18n import gettext


def actor_of(request: Request) -> Actor:
    return Actor.staff(request.ctx.account.id)


@dataclass(frozen=True, slots=True)
class Who:
    name: str
    href: str | None = None


def who(actor: Actor, people: Mapping[str, str]) -> Who:
    """`people`: names by the ids of accounts; somebody who is not among them stands as the id."""
    if actor.kind is ActorKind.STAFF:
        known = actor.id in people
        return Who(people.get(actor.id, actor.id), f"/admin/users/{actor.id}" if known else None)
    if actor.kind is ActorKind.JOB:
        return Who(gettext("Job {name}").format(name=actor.id))
    return Who(gettext("Command {name}").format(name=actor.id))
