"""A ticket says that a callback is about a play that we opened: Kollus's progress posts are unsigned."""

from server.settings import settings
from server.tokens import mac, same


def ticket_of(play_id: str) -> str:
    return f"{play_id}.{mac(settings().secret_key, 'play-ticket', play_id)}"


def play_id_of(ticket: object) -> str | None:
    """The play that a ticket was made for; None if it is not one of ours."""
    if not isinstance(ticket, str) or not ticket.isascii():
        return None
    play_id = ticket.partition(".")[0]
    return play_id if same(ticket, ticket_of(play_id)) else None
