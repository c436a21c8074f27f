"""A shop of three files with the strictest policy that Stripe.js can live with; `/strict` is too strict."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

PAGE = """<!doctype html>
<html lang="ko"><head><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/shop.css"><script src="{stripe}/endive/stripe.js"></script>
<script src="/shop.js"></script></head>
<body><main><h1>Shop</h1><form id="pay"><div id="payment"><p>Loading</p></div><button>Pay</button></form>
<p id="below">below</p></main></body></html>
"""
FONT = Path(__file__).parents[3] / "static" / "fonts" / "fraunces-latin.woff2"
FONT_STYLE = '@font-face { font-family: "Shop"; src: url("/shop.woff2"); }'
STYLE = "main { max-width: 390px; padding: 0 16px; } #payment { margin: 8px 0; }"
SCRIPT = """
window.violations = [];
window.windows = 0;
window.submits = 0;
window.events = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.blockedURI));
window.open = () => { window.windows += 1; return null; };
window.heard = [];
window.addEventListener("message", (event) => window.heard.push(JSON.stringify(event.data)));
document.addEventListener("submit", (event) => { event.preventDefault(); window.submits += 1; });

window.openForm = (key, stripeOptions, elementsOptions, createOptions) => {
  window.stripe = Stripe(key, stripeOptions);
  window.elements = window.stripe.elements(elementsOptions);
  window.element = window.elements.create("payment", createOptions);
  for (const name of ["loaderstart", "ready", "loaderror", "change", "focus", "blur", "escape"]) {
    window.element.on(name, (event) => window.events.push([name, event]));
  }
  window.element.mount("#payment");
};

window.pay = async (clientSecret, confirmParams) => {
  const submitted = await window.elements.submit();
  if (submitted.error) return submitted;
  const { elements } = window;
  return window.stripe.confirmPayment({ elements, clientSecret, confirmParams, redirect: "if_required" });
};
window.startPaying = (clientSecret) => {
  window.outcome = null;
  window.pay(clientSecret).then((result) => { window.outcome = result; });
};
"""


@dataclass
class Merchant:
    """The running shop, and all that ever reached it."""

    url: str
    stripe: str
    received: list[str] = field(default_factory=list)

    @property
    def policy(self) -> str:
        return (
            f"default-src 'none'; script-src 'self' {self.stripe}; frame-src {self.stripe}; "
            f"connect-src 'self' {self.stripe}; style-src 'self' 'unsafe-inline'; img-src 'self'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )

    @property
    def strict_policy(self) -> str:
        return self.policy.replace(" 'unsafe-inline'", "")

    def serve(self) -> ThreadingHTTPServer:
        port = urlsplit(self.url).port
        assert port is not None
        server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        Thread(target=server.serve_forever, daemon=True).start()
        return server


def _handler(merchant: Merchant) -> type[BaseHTTPRequestHandler]:
    files = {
        "/": ("text/html", PAGE.format(stripe=merchant.stripe)),
        "/strict": ("text/html", PAGE.format(stripe=merchant.stripe)),
        "/shop.css": ("text/css", STYLE),
        "/shop.js": ("text/javascript", SCRIPT),
        "/font.css": ("text/css", FONT_STYLE),
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            merchant.received.append(json.dumps([self.path, *map(str, self.headers.items())]))
            path = urlsplit(self.path).path
            kind, body = files.get(path, ("text/plain", ""))
            data = FONT.read_bytes() if path.endswith(".woff2") else body.encode()
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            if path == "/shop.woff2":
                self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(data)))
            policy = merchant.strict_policy if path == "/strict" else merchant.policy
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Silence: the test looks at what was received, not at the terminal."""

    return Handler
