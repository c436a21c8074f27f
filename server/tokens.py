"""Ids that cannot be guessed, secrets that are stored hashed, and marks that only we can make."""

import base64
import hashlib
import hmac
import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing that reads as something else


def new_id() -> str:
    """80 random bits as 16 characters: a primary key that may stand in a URL."""
    return "".join(secrets.choice(ALPHABET) for _ in range(16))


def new_order_number() -> str:
    """50 random bits as two groups of five: what a buyer reads out on the telephone."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(10)).upper()
    return f"{letters[:5]}-{letters[5:]}"


def new_token() -> str:
    """256 random bits for a cookie or a mailed link; only its hash is stored."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    # A plain digest is enough: the token is random, so there is nothing to try out.
    return hashlib.sha256(token.encode()).hexdigest()


def mac(secret: str, purpose: str, message: str) -> str:
    """128 bits of HMAC-SHA256, base64url; `purpose` keeps the uses of one secret apart."""
    digest = hmac.new(secret.encode(), f"{purpose}:{message}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


def order_key_id(token: str) -> str:
    """The id under which an order key is stored: 80 bits of its hash, so no look-up is needed.

    The token itself is 256 random bits and is stored nowhere.
    """
    digest = int.from_bytes(hashlib.sha256(f"order-key:{token}".encode()).digest()[:10], "big")
    return "".join(ALPHABET[(digest >> shift) & 31] for shift in range(75, -1, -5))
