"""The yardstick, a process of its own: Sanic as the application configures it, and handlers without work."""

import argparse
from typing import Any

from pydantic import BaseModel
from sanic import HTTPResponse, Request, Sanic


class Answer(BaseModel):
    """What the application answered, so that the same can be answered without doing anything for it."""

    method: str
    path: str
    content_type: str
    size: int

    def add_to(self, app: Sanic[Any, Any], name: str) -> None:
        body, content_type = b"x" * self.size, self.content_type

        async def handle(request: Request) -> HTTPResponse:
            return HTTPResponse(body, content_type=content_type)

        app.add_route(handle, self.path, methods=[self.method], name=name)


class Answers(BaseModel):
    answers: list[Answer]


def run(answers: list[Answer], port: int) -> None:
    app: Sanic[Any, Any] = Sanic("bare", configure_logging=False)
    app.config.AUTO_EXTEND = False
    for number, answer in enumerate(answers):
        answer.add_to(app, f"case-{number}")
    app.run(host="127.0.0.1", port=port, single_process=True, motd=False, access_log=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("answers", type=Answers.model_validate_json)
    chosen = parser.parse_args()
    run(chosen.answers.answers, chosen.port)
