"""Jobs in words. A code word that is not known here stands as it was written."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.admin.acting import Who, who
from server.i18n import N_, gettext
from server.jobs import service as jobs
from server.jobs.models import JobState
from server.jobs.records import JobRecord

RESULTS = {
    "courses": N_("Courses"),
    "mended": N_("Put right"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A job as the page shows it; `percent` is None where nobody knows how much there is to do."""

    job: JobRecord
    label: str
    who: Who
    percent: int | None
    result: list[tuple[str, str]]

    @property
    def can_be_canceled(self) -> bool:
        return not self.job.is_over and not self.job.cancel_requested

    @property
    def can_begin_again(self) -> bool:
        return self.job.state in (JobState.FAILED, JobState.CANCELED)


def told(job: JobRecord, people: Mapping[str, str]) -> Told:
    kind = jobs.kinds().get(job.kind)
    facts = {} if job.result is None else job.result
    return Told(
        job=job,
        label=gettext(kind.label) if kind else job.kind,
        who=who(job.actor, people),
        percent=100 * job.done // job.total if job.total else None,
        result=[(gettext(RESULTS.get(name, name)), str(value)) for name, value in facts.items()],
    )
