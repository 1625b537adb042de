"""Ticks on their way from the socket's thread to the one that uses them.

Bounded by what is subscribed: of each kind of packet of an instrument only the latest waits.
A slow user loses older values, each counted, and never holds up the socket.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

from strikeloom.adapters.dhan.packets import Packet

Place = tuple[int, int, int]  # code, segment, security id


class TickQueue:
    """Latest packets by instrument and kind, taken in batches."""

    def __init__(self) -> None:
        self._waiting: dict[Place, Packet] = {}
        self._ready = threading.Condition()
        self._closed = False
        self.dropped: Counter[tuple[int, int]] = Counter()
        self.put_in = 0

    def put(self, packets: Iterable[Packet]) -> None:
        """Add packets; one that waits already is replaced, keeps its turn and is counted."""
        with self._ready:
            waiting = self._waiting
            for packet in packets:
                place = (packet.code, packet.segment, packet.security_id)
                if place in waiting:
                    self.dropped[place[1:]] += 1
                waiting[place] = packet
                self.put_in += 1
            self._ready.notify()

    def take(self, seconds: float) -> list[Packet]:
        """Everything that waits, oldest place first; empty after so many seconds of nothing."""
        with self._ready:
            if not self._waiting and not self._closed:
                self._ready.wait(seconds)
            taken, self._waiting = self._waiting, {}
        return list(taken.values())

    def close(self) -> None:
        """Wake whoever waits."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
