"""Who acts on a staff page."""

from sanic import Request

from server.audit.records import Actor


def actor_of(request: Request) -> Actor:
    return Actor.staff(request.ctx.account.id)
