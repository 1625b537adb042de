"""A clock that stands where the account's replay stands, and moves only forward."""

from __future__ import annotations

import time
from datetime import datetime

from strikeloom.adapters.replay.timeline import moments
from strikeloom.errors import StoreError
from strikeloom.nse.sessions import session
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

    def __init__(self, store: Store, history: History, start: datetime, pace: float = 0.0) -> None:
        self._store = store
        self._history = history
        self._start = start
        self._pace = pace

    def now(self) -> datetime:
        """Where the account's replay stands."""
        return self._store.replay_time() or self._start

    def wait(self, seconds: float) -> bool:
        """Step to the day's next snapshot, at the replay's pace; ``False`` when it has none."""
        time.sleep(self._pace if self._pace else 0.0)
        now = self.now()
        later = [at for at in moments(self._history, now.date()) if at > now]
        if not later:
            # the day is over: real time passes, the market does not
            time.sleep(min(seconds, 1.0) if self._pace else 0.0)
            return False
        self.move_to(later[0])
        return True

    def move_to(self, at: datetime) -> None:
        """Move forward.

        Raises
        ------
        StoreError
            When ``at`` lies behind: what was decided since cannot be undone.
        """
        now = self.now()
        if at < now and self._store.replay_time() is not None:
            raise StoreError(
                f"the replay of {self._store.account} stands at {now:%Y-%m-%d %H:%M} and cannot "
                f"go back to {at:%Y-%m-%d %H:%M}; use another STRIKELOOM_HOME for another replay"
            )
        self._store.set_replay_time(at)

    def at_close(self) -> bool:
        """Whether the replay stands at or after the end of its day's session."""
        now = self.now()
        return now >= session(now.date()).close
