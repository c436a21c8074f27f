"""What is wrong with one value of the settings, in live mode or in any."""

import re
import socket
from email.utils import getaddresses
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import parse_qs, urlsplit

# What the stand-ins know and the whole world may read; live mode refuses every one of them.
SANDBOX_SECRETS = {
    "secret_key": "playbill-sandbox-secret-key-0123456789abcdef",
    "stripe_secret_key": "sk_test_playbillsandbox",
    "stripe_publishable_key": "pk_test_playbillsandbox",
    "stripe_webhook_secrets": "whsec_playbillsandbox",
    "kollus_service_account_key": "playbill-sandbox",
    "kollus_security_key": "playbill-sandbox-security-key-0123456789",
    "kollus_custom_key": "9f3c1e7a5b2d4860a1c3e5f7092b4d6e8fa0c2e4061829304b5d6f7081a2b3c4",
    "kollus_api_token": "playbill-sandbox-api-token",
    "kollus_channel_key": "playbill1",
    "kollus_callback_secret": "playbill-sandbox-callback-secret",
}
# Nothing here asks Kollus's API yet, and no callback of its platform is served: what is given is checked, and
# nobody demands it.
NOT_USED_YET = {
    "kollus_service_account_key",
    "kollus_api_token",
    "kollus_api_url",
    "kollus_channel_key",
    "kollus_callback_secret",
}
# Kollus's own security keys may be as short as this; the others are ours, or always longer.
SHORTEST = {
    "secret_key": 32,
    "stripe_secret_key": 16,
    "stripe_publishable_key": 16,
    "stripe_webhook_secrets": 16,
    "kollus_security_key": 8,
    "kollus_custom_key": 32,
    "kollus_api_token": 8,
    "kollus_callback_secret": 16,
}
# What Stripe's keys begin with; the rest of each is random.
PREFIXES = {
    "stripe_secret_key": ("sk_live_", "rk_live_"),
    "stripe_publishable_key": ("pk_live_",),
    "stripe_webhook_secrets": ("whsec_",),
}
ANY_PREFIX = ("sk_", "rk_", "pk_", "whsec_")  # in the middle: a key was pasted behind another's prefix
# Names of one network (RFC 6762, RFC 8375, and what routers and clouds hand out): links in mails would lead
# nowhere.
NOWHERE = (".local", ".home.arpa", ".internal", ".localdomain")
ORIGIN = r"https?://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
SMTP_SCHEMES = {"smtp", "smtps", "smtp+starttls"}


def listed(value: str) -> list[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


def about_secret(name: str, value: str) -> str:
    """What is wrong with a secret in live mode, or nothing."""
    words = listed(value)
    prefixes = PREFIXES.get(name, ())
    if not value:
        return "" if name in NOT_USED_YET else "is empty"
    if SANDBOX_SECRETS[name].casefold() in value.casefold():
        return "is the sandbox's value"
    if min(map(len, words), default=0) < SHORTEST.get(name, 1):
        return f"is shorter than {SHORTEST[name]} characters"
    random_parts = [_after_prefix(word, prefixes) for word in words] if prefixes else words
    if prefixes and any(not part or part.startswith(ANY_PREFIX) for part in random_parts):
        kind = "webhook secret" if name == "stripe_webhook_secrets" else "live key"
        return f"is no {kind} ({' or '.join(f'{prefix}…' for prefix in prefixes)})"
    if name in SHORTEST and any(map(repeats_itself, random_parts)):
        return "repeats itself and is easily guessed"
    return ""


def _after_prefix(word: str, prefixes: tuple[str, ...]) -> str:
    """Nothing if it begins with none of them."""
    return next((word.removeprefix(prefix) for prefix in prefixes if word.startswith(prefix)), "")


def repeats_itself(secret: str) -> bool:
    """One short word over and over, or hardly any different letters.

    What is drawn at random has, even of hexadecimal digits, many more than a quarter of its length.
    """
    folded = secret.casefold()
    is_one_word = any(
        (folded[:length] * len(folded)).startswith(folded) for length in range(1, len(folded) // 2 + 1)
    )
    return is_one_word or len(set(folded)) < min(8, len(folded) // 4)


def is_origin(url: str) -> bool:
    return bool(re.fullmatch(ORIGIN, url)) and _is_address(url)


def is_script(url: str) -> bool:
    with_path = ORIGIN + r"(/[\w.~%+@-]+)+(\?[\w.~%+@=&-]*)?"
    return bool(re.fullmatch(with_path, url, re.ASCII)) and _is_address(url)


def _is_address(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:  # no address in the brackets, or no number of a port
        return False


def is_mail_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in SMTP_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def encrypts_mail(smtp_url: str) -> bool:
    """Whether nothing is said to this mail server before the connection is encrypted."""
    parts = urlsplit(smtp_url)
    return parts.scheme in ("smtps", "smtp+starttls") or parse_qs(parts.query).get("starttls") == ["1"]


def is_mail_address(text: str) -> bool:
    # ASCII: the envelope's sender is told to servers that know nothing else.
    (_, address), *more = getaddresses([text])
    return not more and bool(re.fullmatch(r"[!-?A-~]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+", address))


def is_this_machine(host: str) -> bool:
    host = host.lower().rstrip(".")
    if host in ("localhost", "localhost.localdomain") or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def is_private(host: str) -> bool:
    address = _address(host.rstrip("."))
    return address is not None and not address.is_global


def is_nowhere(host: str) -> bool:
    """A name without a dot is one of this machine or network, too: ip6-localhost, shop."""
    host = host.lower().rstrip(".")
    return _address(host) is None and ("." not in host or host.endswith(NOWHERE))


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """As resolvers read it: 127.1 and 2130706433 are 127.0.0.1, too."""
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        pass
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
