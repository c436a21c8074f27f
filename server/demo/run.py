"""`playbill demo`: the whole shop on this machine, from nothing, without an account anywhere."""

import asyncio
import os
import shutil
import sys
from contextlib import ExitStack

from server.database.migrations import migrate
from server.database.session import session_scope
from server.demo import people, seed
from server.processes import Group
from server.serving import listen, metrics_folder, workers
from server.settings import Settings, configure
from server.standins import Awaited, health_addresses, refuse_taken_ports, standins
from server.wiring import opened

READY = """
Playbill is ready at {site}

  sign in as   admin@ support@ editor@ viewer@playbill.example   password {password}
  pay with     4242 4242 4242 4242  goes through
               4000 0000 0000 3220  asks for 3-D Secure
               4000 0000 0000 0002  is declined         (any future date, any CVC)
  mail         http://127.0.0.1:{mail}/
  stand-ins    http://127.0.0.1:{stripe}/_sandbox/  (Stripe)   http://127.0.0.1:{kollus}/_sandbox/  (Kollus)

Ctrl-C ends it; `playbill demo --reset` begins again.
"""


def demo(given: Settings, *, reset: bool) -> None:
    """Runs until Ctrl-C. The data lies under VAR_DIR; a DATABASE_URL from outside is never touched."""
    home = given.var_dir.absolute() / "demo"
    own = {"database_url": f"sqlite+aiosqlite:///{home / 'playbill.db'}", "var_dir": home}
    settings = given.model_copy(update=own)
    configure(settings)
    with ExitStack() as stack:
        listener = stack.enter_context(listen(settings))
        try:
            refuse_taken_ports(settings)
        except OSError as error:
            sys.exit(f"{error.strerror}: is another demo running?")
        # Not before the ports are ours: this may be the data of a demo that runs there.
        if reset:
            shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True, exist_ok=True)
        environment = {f"PLAYBILL_{name.upper()}": str(value) for name, value in own.items()}
        figures = stack.enter_context(metrics_folder(settings))
        os.environ.update(environment, PROMETHEUS_MULTIPROC_DIR=str(figures))
        migrate()
        group = stack.enter_context(Group(standins(settings)))
        group.watch(until=Awaited(health_addresses(settings)))
        filled = home / "filled"
        asyncio.run(_fill(settings, with_orders=not filled.exists()))
        filled.touch()
        for worker in workers(settings, listener):
            group.add(worker)
        group.watch(until=Awaited([f"http://{settings.host}:{settings.port}/readyz"]))
        print(
            READY.format(
                site=settings.public_url,
                password=people.PASSWORD,
                mail=settings.sandbox_mail_port,
                stripe=settings.sandbox_stripe_port,
                kollus=settings.sandbox_kollus_port,
            ),
            flush=True,
        )
        group.watch()


async def _fill(settings: Settings, *, with_orders: bool) -> None:
    """Catalog and people each time (what is there stays), past orders once."""
    async with opened(settings) as sessions, session_scope(sessions):
        await seed.seed_catalog()
        await people.seed_people()
        if with_orders:
            await seed.seed_orders()
