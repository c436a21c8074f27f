"""Security headers. No inline script anywhere and no inline style of ours, so the policy needs no nonces."""

from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sanic import HTTPResponse

from server.settings import settings

BASE_POLICY = {
    "default-src": ("'none'",),
    "script-src": ("'self'",),
    "style-src": ("'self'",),
    "img-src": ("'self'", "data:"),
    "font-src": ("'self'",),
    "connect-src": ("'self'",),
    "form-action": ("'self'",),
    "manifest-src": ("'self'",),
    "base-uri": ("'none'",),
    "frame-ancestors": ("'none'",),
}


@dataclass(frozen=True)
class Sources:
    """What one page needs beyond our own origin."""

    script: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    frame: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    image: tuple[str, ...] = field(default=())


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def stripe_sources() -> Sources:
    """Stripe.js, its frames and its API (docs.stripe.com/security/guide#content-security-policy).

    And the styles that it puts into the page itself, of which the guide says nothing (decision 070).
    """
    script = origin(settings().stripe_js_url)
    style = ("'unsafe-inline'",)
    if script != "https://js.stripe.com":
        return Sources(script=(script,), style=style, frame=(script,), connect=(script,))
    scripts = (script, "https://*.js.stripe.com")
    return Sources(
        script=scripts,
        style=style,
        frame=(*scripts, "https://hooks.stripe.com", "https://link.com", "https://*.link.com"),
        connect=("https://api.stripe.com", "https://link.com", "https://*.link.com"),
        image=("https://*.link.com",),
    )


def player_sources() -> Sources:
    """Kollus's controller script and the player frame, whose host the page asks whether it answers at all."""
    gateway = origin(settings().kollus_gateway_url)
    return Sources(script=(origin(settings().kollus_player_js_url),), frame=(gateway,), connect=(gateway,))


def policy(extra: Sources) -> str:
    directives: dict[str, tuple[str, ...]] = defaultdict(tuple, BASE_POLICY)
    for name, more in (
        ("script-src", extra.script),
        ("style-src", extra.style),
        ("frame-src", extra.frame),
        ("connect-src", extra.connect),
        ("img-src", extra.image),
    ):
        if more:
            directives[name] += more
    return "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())


NOTHING_MORE = policy(Sources())


def add_headers(response: HTTPResponse) -> None:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", NOTHING_MORE)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    # With `same-origin` the player would get no Referer, and Kollus checks it.
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers.setdefault(
        "Permissions-Policy",
        "payment=*, fullscreen=*, autoplay=*, encrypted-media=*, camera=(), microphone=()",
    )
    if settings().is_https:
        headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
