"""E-mail addresses: what is typed, what is written to, and the form in which two are the same."""

import re
import unicodedata

import idna

from server.i18n import N_

MAX_LENGTH, MAX_LOCAL_LENGTH = 254, 64  # RFC 5321, sections 4.5.3.1.1 and 4.5.3.1.3
# Longer texts are not even looked at: normalizing a megabyte would stop the worker for minutes.
MAX_TYPED = 320
NOT_AN_ADDRESS = N_("This does not look like an e-mail address.")

_LOCAL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.IGNORECASE | re.ASCII
)
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def valid_email(text: str) -> str:
    """The address that `text` means, all of it ASCII; raises ValueError with words for the form.

    Full-width letters from a Korean or Japanese keyboard are what they stand for, and an international
    domain name becomes the one that mail servers know.
    """
    if len(text) > MAX_TYPED:
        raise ValueError(NOT_AN_ADDRESS)
    local, at, domain = unicodedata.normalize("NFKC", text).strip().rpartition("@")
    address = f"{local}@{_ascii_domain(domain)}"
    if (
        not at
        or len(address) > MAX_LENGTH
        or len(local) > MAX_LOCAL_LENGTH
        or not _LOCAL.fullmatch(local)
        or not _DOMAIN.fullmatch(_ascii_domain(domain))
    ):
        raise ValueError(NOT_AN_ADDRESS)
    return address


def email_key(email: str) -> str:
    """The form under which an address is looked up; never raises, whatever is typed into a search."""
    email = email[:MAX_TYPED]
    local, at, domain = unicodedata.normalize("NFKC", email).strip().casefold().rpartition("@")
    return f"{local}{at}{_ascii_domain(domain) if at else domain}"


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain.lower()
    try:
        # IDNA 2008: Python's own codec makes "ss" of "ß", and that is somebody else's domain today.
        return idna.encode(domain, uts46=True, transitional=False).decode()
    except idna.IDNAError:
        return domain.lower()
