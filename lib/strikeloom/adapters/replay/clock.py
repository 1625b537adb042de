"""A clock with the stored time of the account's replay; it moves only forward."""

from __future__ import annotations

import time
from datetime import datetime

from strikeloom.adapters.replay.timeline import Timeline
from strikeloom.errors import StoreError
from strikeloom.ports.history import History
from strikeloom.ports.store import Store


class ReplayClock:
    """``ports.clock.Clock`` kept in the store: all processes of an account share one time.

    Parameters
    ----------
    start : datetime.datetime
        Time of an account whose replay has not begun.
    pace : float
        Seconds of real time between two snapshots; 0 steps at once.
    """

    speed = 1.0

    def __init__(self, store: Store, history: History, start: datetime, pace: float = 0.0) -> None:
        self._store = store
        self._timeline = Timeline(history)
        self._start = start
        self._pace = pace

    def now(self) -> datetime:
        """Return the time of the account's replay."""
        return self._store.replay_time() or self._start

    def wait(self, seconds: float) -> bool:
        """Move to the day's next snapshot after the pace; ``False`` when there is none."""
        time.sleep(self._pace)
        now = self.now()
        later = [at for at in self._timeline.moments(now.date()) if at > now]
        if not later:
            # the day has ended: only real time passes
            time.sleep(min(seconds, 1.0) if self._pace else 0.0)
            return False
        self.move_to(later[0])
        return True

    def move_to(self, at: datetime) -> None:
        """Move forward; backward only while the account has no intents.

        Raises
        ------
        StoreError
            When ``at`` is earlier and orders are recorded: trades since then cannot be undone.
        """
        now = self._store.replay_time()
        if now is not None and at < now and self._store.intents():
            raise StoreError(
                f"the replay of {self._store.account} is at {now:%Y-%m-%d %H:%M} with recorded "
                f"orders and cannot go back to {at:%Y-%m-%d %H:%M}; use another "
                "STRIKELOOM_HOME for another replay"
            )
        self._store.set_replay_time(at)
