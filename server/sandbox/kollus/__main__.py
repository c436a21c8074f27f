"""`python -m server.sandbox.kollus`: the stand-in as a process of its own, on 127.0.0.1 only."""

import argparse
from pathlib import Path

from .app import create_app
from .config import Config


def main() -> None:
    options = _parser().parse_args()
    config = Config(
        port=options.port,
        service_account_key=options.service_account_key,
        security_key=options.security_key,
        custom_keys=tuple(options.custom_key),
        api_token=options.api_token,
        channel_key=options.channel_key,
        media=options.media,
        play_callback_url=options.play_callback_url,
        drm_callback_url=options.drm_callback_url,
        lms_url=options.lms_url,
        allowed_domains=tuple(domain for domain in options.allowed_domains.split(",") if domain),
    )
    app = create_app(config)
    app.run(host="127.0.0.1", port=config.port, single_process=True, motd=False, access_log=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m server.sandbox.kollus", description=__doc__)
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--service-account-key", required=True)
    parser.add_argument("--security-key", required=True)
    parser.add_argument(
        "--custom-key",
        required=True,
        action="append",
        help="may be given several times: all belong to the security key",
    )
    parser.add_argument("--api-token", default="")
    parser.add_argument("--channel-key", required=True)
    parser.add_argument("--play-callback-url", default="")
    parser.add_argument("--drm-callback-url", default="")
    parser.add_argument("--lms-url", default="", help="with placeholders, as {JSON_DATA} and {USERVALUE0}")
    parser.add_argument("--media", type=Path, required=True, help="folder with the clips and contents.json")
    parser.add_argument(
        "--allowed-domains",
        default="127.0.0.1,localhost",
        help="hosts whose pages may embed the player; empty for any",
    )
    return parser


if __name__ == "__main__":
    main()
