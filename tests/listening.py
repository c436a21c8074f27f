"""The application in this process, answering over HTTP."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sanic import Sanic

from server.app import create_app
from server.settings import Settings


@asynccontextmanager
async def listening(
    settings: Settings, prepare: Callable[[Sanic[Any, Any]], None] = lambda app: None
) -> AsyncIterator[Sanic[Any, Any]]:
    """The site of these settings on its port, without its jobs, until the context is left.

    `prepare` may add to the application before it starts.
    """
    app = create_app(settings, with_jobs=False, name=f"playbill-{settings.port}")
    prepare(app)
    Sanic.test_mode = True
    server = await app.create_server(
        host="127.0.0.1", port=settings.port, return_asyncio_server=True, access_log=False
    )
    assert server is not None
    for begin in (server.startup, server.before_start, server.start_serving, server.after_start):
        await begin()  # type: ignore[no-untyped-call]
    try:
        yield app
    finally:
        await server.before_stop()  # type: ignore[no-untyped-call]
        server.close()  # type: ignore[no-untyped-call]
        await server.wait_closed()  # type: ignore[no-untyped-call]
        await server.after_stop()  # type: ignore[no-untyped-call]
        Sanic.unregister_app(app)
