"""A connection of the market feed: requests in, the latest packets out."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from strikeloom.exchange.server import packets
from strikeloom.exchange.server.client_socket import Stream
from strikeloom.exchange.server.fault_injection import FaultKind
from strikeloom.exchange.server.feed_hub import (
    BAD_REQUEST,
    EXPIRED,
    FULL,
    QUOTE,
    SUBSCRIBE,
    TICKER,
    TOO_MANY_INSTRUMENTS,
    FeedHub,
    Place,
    door,
)
from strikeloom.exchange.server.packets import SEGMENTS
from strikeloom.exchange.server.wire_codes import OPTIONS, is_id

_UNSUBSCRIBE: Final = {16: TICKER, 18: QUOTE, 22: FULL}
_DISCONNECT: Final = 12
MOST_INSTRUMENTS, MOST_A_MESSAGE = 5000, 100
_BATCH: Final = 50  # securities read from the market at once
_STACK: Final = 10  # packets of a message when they are stacked


class FeedSocket(Stream):
    """One connection of the market feed."""

    name = "feed"
    hub: FeedHub

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Check the token in the address; let in or say why not."""
        self.modes: dict[Place, int] = {}
        self._dirty: dict[Place, None] = {}
        self._told: dict[Place, int] = {}  # open interest that was last told
        self._wake = asyncio.Event()
        asked = self.get_query_argument("clientId", ""), self.get_query_argument("token", "")
        refused = door(self.exchange, *asked)
        self.client_id = asked[0]
        self.set_nodelay(True)
        if refused is not None:
            self.farewell(refused)
            return
        self.token = asked[1]
        self.hub.admit(self)
        self._sender = asyncio.ensure_future(self.guarded(self._send))

    def on_message(self, message: str | bytes) -> None:
        """Take a request; binary frames are leftovers of an older protocol and mean nothing."""
        self.heard_at = self.exchange.seconds()
        if isinstance(message, bytes) or self.ended:
            return
        asked = request_of(message)
        if asked is None:
            self.farewell(BAD_REQUEST)
            return
        code, body = asked
        if code == _DISCONNECT:
            self.close()
        elif code in SUBSCRIBE or code in _UNSUBSCRIBE:
            self._change(code, body)

    def _change(self, code: int, body: dict[str, Any]) -> None:
        rows = body.get("InstrumentList")
        if not isinstance(rows, list) or len(rows) > MOST_A_MESSAGE:
            self.farewell(TOO_MANY_INSTRUMENTS if isinstance(rows, list) else BAD_REQUEST)
            return
        places = [place for row in rows if (place := place_of(row)) is not None]
        if code in _UNSUBSCRIBE:
            for place in places:
                if self.modes.get(place) == _UNSUBSCRIBE[code]:
                    del self.modes[place]
                    self._dirty.pop(place, None)
                    self._told.pop(place, None)
                    self.hub.unwatch(self, place)
            return
        if len(self.modes.keys() | set(places)) > MOST_INSTRUMENTS:
            self.farewell(TOO_MANY_INSTRUMENTS)
            return
        self.modes.update(dict.fromkeys(places, code))
        self.hub.watch(self, places)

    def dirty(self, place: Place, *, first: bool = False) -> None:
        """Note that a security has a newer tick than was sent."""
        if place in self._dirty:
            self.hub.conflated += not first
            return
        self._dirty[place] = None
        self._wake.set()

    async def _send(self) -> None:
        await self.say(packets.market_status(SEGMENTS[OPTIONS]))
        while not self.ended:
            await self._wake.wait()
            self._wake.clear()
            while self._dirty and not self.ended:
                if self.exchange.seconds() < self.stalled_until:
                    await asyncio.sleep(0.05)
                    continue
                await self._send_some()

    async def _send_some(self) -> None:
        """Send the latest of a few securities, longest waiting first."""
        batch = list(self._dirty)[:_BATCH]
        for place in batch:
            del self._dirty[place]
        batch = [place for place in batch if place in self.modes]
        self.hub.refresh(batch)
        stacked: list[bytes] = []
        for place in batch:
            ready = self._ready(place)
            if ready and self.exchange.faults.draw((FaultKind.STACKED,), self.name):
                stacked += ready
                continue
            for message in ready:
                await self.say(message)
        for at in range(0, len(stacked), _STACK):
            await self.say(b"".join(stacked[at : at + _STACK]))

    def _ready(self, place: Place) -> list[bytes]:
        """Packets of a security that are due; empty when nothing is known of it."""
        if place not in self.modes or place not in self.hub.latest:
            return []
        mode, ready = self.modes[place], list[bytes]()
        if place[0] == "IDX_I" and place not in self._told:
            self._told[place] = 0
            ready.append(packets.previous_close(self.hub.latest[place]))
        ready += self.hub.packets(place, mode)
        interest = self.hub.interest(place) if mode == QUOTE else None
        if interest is not None and self._told.get(place) != interest[0]:
            self._told[place] = interest[0]
            ready.append(interest[1])
        return ready

    def on_close(self) -> None:
        """End the sender too."""
        super().on_close()
        self._wake.set()

    def reset(self) -> None:
        """End the sender too."""
        super().reset()
        self._wake.set()

    def farewell(self, reason: int) -> None:
        """Say why, then close."""
        self.part(packets.disconnect(reason))
        self._wake.set()

    def tend(self) -> None:
        """End a socket whose token has died; the rest as for every socket."""
        if self.client_id and not self.exchange.tokens.accepts(self.client_id, self.token):
            self.farewell(EXPIRED)
            return
        super().tend()


def request_of(message: str) -> tuple[int, dict[str, Any]] | None:
    """Code and body of a request; ``None`` for anything else."""
    try:
        body = json.loads(message)
    except (ValueError, RecursionError):
        return None
    code = body.get("RequestCode") if isinstance(body, dict) else None
    return (code, body) if isinstance(code, int) else None


def place_of(row: Any) -> Place | None:
    """Segment and id that a row of a request names; ``None`` when it names none."""
    if not isinstance(row, dict):
        return None
    segment, number = row.get("ExchangeSegment"), str(row.get("SecurityId", ""))
    return (segment, int(number)) if segment in SEGMENTS and is_id(number) else None
