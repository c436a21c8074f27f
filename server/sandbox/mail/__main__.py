"""`python -m server.sandbox.mail`: the sink as a process of its own, on 127.0.0.1 only."""

import argparse

from .app import Config, create_app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m server.sandbox.mail", description=__doc__)
    parser.add_argument("--port", type=int, default=8003, help="the page and its JSON")
    parser.add_argument("--smtp-port", type=int, default=8025)
    options = parser.parse_args()
    app = create_app(Config(options.port, options.smtp_port))
    app.run(host="127.0.0.1", port=options.port, single_process=True, motd=False, access_log=False)


if __name__ == "__main__":
    main()
