"""A clock that stands where the account's replay stands, and moves only forward."""

from __future__ import annotations

import time
from datetime import datetime

from strikeloom.adapters.replay.timeline import Timeline
from strikeloom.errors import StoreError
from strikeloom.ports.history import History
from strikeloom.ports.store import Store


class ReplayClock:
    """``ports.clock.Clock`` kept in the store: every process of the account sees one time.

    Parameters
    ----------
    start : datetime.datetime
        Where an account that has never moved begins.
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
        """Where the account's replay stands."""
        return self._store.replay_time() or self._start

    def wait(self, seconds: float) -> bool:
        """Step to the day's next snapshot, at the replay's pace; ``False`` when it has none."""
        time.sleep(self._pace)
        now = self.now()
        later = [at for at in self._timeline.moments(now.date()) if at > now]
        if not later:
            # the day is over: real time passes, the market does not
            time.sleep(min(seconds, 1.0) if self._pace else 0.0)
            return False
        self.move_to(later[0])
        return True

    def move_to(self, at: datetime) -> None:
        """Move forward; back only while the account has never ordered anything.

        Raises
        ------
        StoreError
            When ``at`` lies behind and there are orders: what was traded since cannot be undone.
        """
        now = self._store.replay_time()
        if now is not None and at < now and self._store.intents():
            raise StoreError(
                f"the replay of {self._store.account} stands at {now:%Y-%m-%d %H:%M} with orders "
                f"on record and cannot go back to {at:%Y-%m-%d %H:%M}; use another "
                "STRIKELOOM_HOME for another replay"
            )
        self._store.set_replay_time(at)
