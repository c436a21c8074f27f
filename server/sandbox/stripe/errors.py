from typing import Any, Self

Json = dict[str, Any]


class Fault(Exception):
    """An error that is answered in Stripe's shape.

    `kept`: the work had begun, so the answer is stored under the idempotency key and repeated;
    a call that fails validation is not stored and may be sent again, mended, with the same key.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type_: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        kept: bool = False,
        headers: dict[str, str] | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type_
        self.code = code
        self.param = param
        self.kept = kept
        self.headers = headers or {}
        self.facts = facts

    @classmethod
    def parameter(cls, param: str, message: str, code: str | None = None) -> Self:
        return cls(400, message, code=code, param=param)

    @classmethod
    def missing(cls, kind: str, object_id: str, param: str, *, status: int = 400) -> Self:
        """`resource_missing`: 404 when the id stood in the path, 400 when it stood in a parameter."""
        return cls(status, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)

    @classmethod
    def unsupported(cls, param: str, wish: str) -> Self:
        """A wish that Stripe would fulfil and this stand-in does not: said aloud, never ignored."""
        return cls.parameter(param, f"The Stripe stand-in does not support {wish}.", "sandbox_unsupported")

    def body(self) -> Json:
        error: Json = {
            "type": self.type,
            "code": self.code,
            "message": str(self),
            "param": self.param,
            **self.facts,
        }
        if self.code:
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        return {"error": {name: value for name, value in error.items() if value is not None}}
