"""Queue of ticks between the socket and the feed.

Its size is bounded by the subscriptions: of each kind of packet of an instrument only the latest
waits. A slow reader loses older values, each counted, and never delays the socket.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

from strikeloom.adapters.dhan.packets import Packet

Place = tuple[int, int, int]  # code, segment, security id


class TickQueue:
    """Latest packets by instrument and kind, taken in batches; safe between threads."""

    def __init__(self) -> None:
        self._waiting: dict[Place, Packet] = {}
        self._lock = threading.Lock()
        self.dropped: Counter[tuple[int, int]] = Counter()
        self.put_in = 0

    def put(self, packets: Iterable[Packet]) -> bool:
        """Add packets; one that waits already is replaced in its place, and counted as dropped.

        Returns
        -------
        bool
            Whether nothing waited before.
        """
        with self._lock:
            waiting = self._waiting
            was_empty = not waiting
            for packet in packets:
                place = (packet.code, packet.segment, packet.security_id)
                if place in waiting:
                    self.dropped[place[1:]] += 1
                waiting[place] = packet
                self.put_in += 1
            return was_empty

    def take(self) -> list[Packet]:
        """Remove and return all that waits, oldest place first."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
        return list(taken.values())
