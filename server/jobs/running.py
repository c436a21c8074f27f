"""A job as its handler meets it."""

from dataclasses import dataclass
from typing import Any

from server.clock import now
from server.database.session import in_transaction
from server.jobs import leases, repository
from server.jobs.leases import LeaseLost
from server.jobs.records import JobRecord


class JobCanceled(Exception):
    """Somebody asked for it; what is done so far stays done."""


@dataclass(slots=True)
class RunningJob:
    _record: JobRecord
    done: int
    total: int | None

    @property
    def id(self) -> str:
        return self._record.id

    @property
    def arguments(self) -> dict[str, Any]:
        return self._record.arguments

    async def report(self, done: int, total: int | None = None) -> None:
        """Tell how many steps of how many are done; between them, outside of a transaction.

        Raises JobCanceled if somebody wants the job to stop: let it pass.
        """
        self.done, self.total = done, total if total is not None else self.total

        async def act() -> JobRecord | None:
            if not await repository.report(self._record, self.done, self.total, now() + leases.term()):
                raise LeaseLost
            return await repository.get(self.id)

        found = await in_transaction(act)
        if found is not None and found.cancel_requested:
            raise JobCanceled
