"""A watcher that is killed with SIGKILL at a stated moment. Run as a program by the tests.

Usage: killed_watcher.py PLACE CALL COUNT, where PLACE is ``before`` or ``after``, CALL is
``store.<method>`` or ``broker.<method>``, and COUNT is which such call is meant, from 1.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from typing import Any

from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk import open_desk
from strikeloom.monitor import watch


class Mortal:
    """Passes every call on, and dies at the moment stated."""

    def __init__(self, inner: Any, name: str, place: str, call: str, count: int) -> None:
        self._inner, self._name = inner, name
        self._place, self._call, self._left = place, call, count

    def __getattr__(self, method: str) -> Any:
        value = getattr(self._inner, method)
        if f"{self._name}.{method}" != self._call:
            return value

        def mortal(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left == 0 and self._place == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = value(*args, **kwargs)
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return mortal


def main() -> None:
    place, call, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    desk = open_desk("synthetic")
    mortal = replace(
        desk,
        store=Mortal(desk.store, "store", place, call, count),
        broker=Mortal(desk.broker, "broker", place, call, count),
    )
    watch(mortal, SystemClock(), once=True)


if __name__ == "__main__":
    main()
