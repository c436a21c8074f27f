import json
from dataclasses import dataclass, field
from hashlib import sha256

from .errors import Fault, Json
from .form import Form
from .state import State, now

_KEPT_S = 86_400
_LONGEST_KEY = 255


@dataclass(frozen=True)
class Reply:
    """An answer as it goes out, and as it is repeated."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


def fingerprint(method: str, path: str, form: Form) -> str:
    text = json.dumps([method, path, form], sort_keys=True)
    return sha256(text.encode()).hexdigest()


def stored(state: State, key: str, print_: str) -> Reply | None:
    """The first answer under this key, or a `Fault` when the key belongs to another call."""
    if len(key) > _LONGEST_KEY:
        raise Fault(
            400, f"Idempotency keys can be up to {_LONGEST_KEY} characters long.", type_="idempotency_error"
        )
    record = state.get("sandbox.idempotency", f"key:{key}")
    if record is None or record["created"] < now() - _KEPT_S:
        return None
    if record["fingerprint"] != print_:
        message = (
            "Keys for idempotent requests can only be used for the same endpoint and the same parameters"
            f" they were first used with. Try using a key other than '{key}'."
        )
        raise Fault(400, message, type_="idempotency_error")
    return final(
        Reply(record["status"], record["body"], {"Idempotent-Replayed": "true"}), record["request_id"]
    )


def final(reply: Reply, request_id: str) -> Reply:
    """An answer that its key keeps, with the word that asking again would bring the same one, a 500 too."""
    told = {"Original-Request": request_id, "Stripe-Should-Retry": "false"}
    return Reply(reply.status, reply.body, reply.headers | told)


def store(state: State, key: str, print_: str, request_id: str, reply: Reply) -> None:
    state.put(
        {
            "object": "sandbox.idempotency",
            "id": f"key:{key}",
            "created": now(),
            "fingerprint": print_,
            "request_id": request_id,
            "status": reply.status,
            "body": reply.body,
        }
    )


def in_use(key: str) -> Fault:
    message = f"There is currently another in-progress request using this Idempotency Key ({key})."
    return Fault(409, message, code="idempotency_key_in_use")
