"""One sentence that survives a redirect: the cookie holds a name from this list, never a text."""

from sanic import HTTPResponse, Request

from server.i18n import N_, gettext
from server.web import cookies

SENTENCES = {
    "signed_in": N_("You are signed in."),
    "signed_out": N_("You are signed out."),
    "password_set": N_("Your password is set. Other browsers were signed out."),
    "profile_saved": N_("Saved."),
    "sign_in_ended": N_("That browser is signed out."),
    "sign_ins_ended": N_("All other browsers are signed out."),
    "order_refunded": N_("Refunded. Access to the course is closed."),
    "course_saved": N_("The course is saved."),
    "course_published": N_("The course is published."),
    "course_archived": N_("The course is archived. Owners keep it."),
    "course_drafted": N_("The course is a draft again."),
    "grant_given": N_("Access is given."),
    "grant_revoked": N_("Access is closed."),
    "alert_resolved": N_("Done. The alert is closed."),
    "role_changed": N_("The role is changed."),
    "job_started": N_("The job is in line. It begins within a few seconds."),
    "job_canceled": N_("The job stops after the step it is at."),
}


def put(response: HTTPResponse, name: str) -> None:
    assert name in SENTENCES, name
    cookies.put(response, cookies.FLASH, name, max_age=60)


class Notice:
    """Renders as the sentence; the page that shows it is the last one."""

    def __init__(self, request: Request) -> None:
        self._name = cookies.read(request, cookies.FLASH)
        self._is_shown = False

    def __bool__(self) -> bool:
        return self._name in SENTENCES

    def __str__(self) -> str:
        self._is_shown = True
        return gettext(SENTENCES[self._name or ""])

    def settle(self, response: HTTPResponse) -> None:
        if self._is_shown:
            cookies.drop(response, cookies.FLASH)
