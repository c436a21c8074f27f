"""python -m server.sandbox.stripe: run the stand-in of Stripe on 127.0.0.1."""

import argparse
from pathlib import Path

from .app import create_app
from .config import Config


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m server.sandbox.stripe", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--secret-key", required=True, help="sk_test_…")
    parser.add_argument("--publishable-key", required=True, help="pk_test_…")
    parser.add_argument("--webhook-url", help="where events are posted")
    parser.add_argument("--webhook-secret", help="whsec_…, signs them")
    parser.add_argument("--state", type=Path, help="file that keeps everything over a restart")
    given = parser.parse_args()
    if not given.secret_key.startswith(("sk_test_", "rk_test_")) or not given.publishable_key.startswith(
        "pk_test_"
    ):
        parser.error("the stand-in takes test keys only (sk_test_…, pk_test_…)")
    if bool(given.webhook_url) != bool(given.webhook_secret):
        parser.error("--webhook-url and --webhook-secret belong together")
    app = create_app(Config(**vars(given)))
    app.run(host="127.0.0.1", port=given.port, single_process=True, motd=False, access_log=False)


if __name__ == "__main__":
    main()
