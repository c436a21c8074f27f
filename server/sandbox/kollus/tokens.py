"""JSON Web Tokens as Kollus reads them: HS256 and nothing else, keys of any length.

Written for the stand-in alone, so that a mistake in the site's JWT code cannot hide behind the same one here.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re

# Both base64 alphabets: one of the vendor's own samples signs with the standard one (and percent-encodes it).
# No padding: RFC 7515 has none in a JWT, and whether Kollus forgives the "=" that a standard encoder appends
# is not documented, so here it is refused.
_SEGMENT = re.compile(r"[A-Za-z0-9_+/-]+")


class TokenError(ValueError):
    """The token is not one that this key signed."""


class PayloadError(ValueError):
    """The signature is right, the payload is not a JSON object."""


def verify(token: str, key: str) -> dict[str, object]:
    """Return the payload of `token`, or raise TokenError (form, algorithm, signature) or PayloadError."""
    segments = token.split(".")
    if len(segments) != 3:
        raise TokenError("a JWT has three parts")
    header, payload, signature = segments
    _check_header(_decode(header))
    # compared as bytes, so that either alphabet passes
    if not hmac.compare_digest(_decode(signature), _signature(f"{header}.{payload}", key)):
        raise TokenError("the signature does not match the security key")
    try:
        content = json.loads(_decode(payload))
    except ValueError as error:
        raise PayloadError("the payload is not JSON") from error
    if not isinstance(content, dict):
        raise PayloadError("the payload is not a JSON object")
    return content


def _check_header(raw: bytes) -> None:
    try:
        header = json.loads(raw)
    except ValueError as error:
        raise TokenError("the header is not JSON") from error
    if not isinstance(header, dict) or header.get("alg") != "HS256":
        raise TokenError("the algorithm must be HS256")
    if header.get("typ", "JWT") != "JWT":
        raise TokenError("the type must be JWT")


def _signature(signed: str, key: str) -> bytes:
    return hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()


def _decode(segment: str) -> bytes:
    if not _SEGMENT.fullmatch(segment):
        raise TokenError("a part is not base64url without padding")
    standard = segment.replace("-", "+").replace("_", "/")
    try:
        decoded = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except binascii.Error as error:
        raise TokenError("a part is not base64url") from error
    # The last character has bits to spare, which decoding drops: four spellings of one signature would pass.
    if base64.b64encode(decoded).rstrip(b"=") != standard.encode():
        raise TokenError("a part does not end as base64url does")
    return decoded
