"""What happens by itself: fees become known, pending refunds end, disputes come in, webhooks go out."""

import asyncio
from collections.abc import Callable
from functools import partial
from time import time

from . import disputes, fraud, payments, refunds
from .deliveries import Courier
from .errors import Fault, Json
from .state import State

_LONGEST_SLEEP_S = 60.0

_ACTS: dict[str, tuple[str, Callable[[State, Json], object]]] = {
    "charge.settle": ("charge", payments.settle_charge),
    "charge.warn": ("charge", fraud.warn),
    **{
        f"charge.dispute.{reason}": ("charge", partial(disputes.open_dispute, reason=reason))
        for reason in ("fraudulent", "product_not_received", "inquiry")
    },
    "refund.succeed": ("refund", refunds.succeed),
    "refund.fail": ("refund", refunds.fail),
    "dispute.win": ("dispute", partial(disputes.close, won=True)),
    "dispute.lose": ("dispute", partial(disputes.close, won=False)),
    "dispute.escalate": ("dispute", disputes.escalate),
}


class Clock:
    """One task that wakes when something is due, or when something new has been written."""

    def __init__(self, state: State, courier: Courier) -> None:
        self._state = state
        self._courier = courier
        self._news = asyncio.Event()
        state.on_flush = self._news.set

    async def run(self) -> None:
        while True:
            self._news.clear()
            dues = (self._run_timers(), self._courier.start_due())
            nearest = min((due for due in dues if due is not None), default=time() + _LONGEST_SLEEP_S)
            try:
                await asyncio.wait_for(self._news.wait(), max(0.0, nearest - time()))
            except TimeoutError:
                continue

    def _run_timers(self) -> float | None:
        for timer in self._state.all("sandbox.timer"):
            if timer["due"] <= time():
                self._state.drop(timer)
                self._run(timer)
                self._state.flush()
        return min((timer["due"] for timer in self._state.all("sandbox.timer")), default=None)

    def _run(self, timer: Json) -> None:
        kind, act = _ACTS[timer["act"]]
        target = self._state.get(kind, timer["target"])
        if target is None:
            return
        try:
            act(self._state, target)
        except Fault:
            # Somebody was faster, for instance closed the dispute by hand: nothing is left to do.
            return
