"""The account's device policy: on how many devices one user may watch, and whether on several at a time."""

from .config import Settings
from .errors import PlayerError


class Devices:
    """Users are told apart by the token's `cuid`, devices by the player's own id."""

    def __init__(self) -> None:
        self._registered: dict[str, set[str]] = {}
        self._playing: dict[str, str] = {}

    def admit(self, user: str, device: str, settings: Settings) -> None:
        """Let a device begin, in the place of the one before; PlayerError 8464 for a device too many."""
        if not user:
            return
        if settings.device_policy.startswith("registered"):
            known = self._registered.setdefault(user, set())
            if device not in known and len(known) >= settings.device_limit:
                raise PlayerError(8464, f"{user} has {len(known)} registered devices, and this is another")
            known.add(device)
        self._playing[user] = device

    def check(self, user: str, device: str, settings: Settings) -> None:
        """PlayerError 8479 when another device has begun since."""
        alone = settings.device_policy.endswith("one_at_a_time")
        if alone and self._playing.get(user, device) != device:
            raise PlayerError(8479, f"{user} watches on another device now")

    def clear(self) -> None:
        self._registered.clear()
        self._playing.clear()
