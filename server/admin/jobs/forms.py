"""What admins send to the page of jobs."""

from server.web.forms import Form


class StartForm(Form):
    kind: str
