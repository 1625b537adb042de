"""Work in a thread of its own, one piece at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable


class BackgroundTask:
    """A piece of work that can be started again once it is done. Safe between threads."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._name = name
        self._work = work
        self._busy = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = False

    def start(self) -> None:
        """Begin in a new thread; does nothing while it runs, or after ``end``."""
        if self._ended or not self._busy.acquire(blocking=False):
            return
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def end(self, seconds: float) -> None:
        """Start no more, and wait for what runs that long."""
        self._ended = True
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._busy.release()
