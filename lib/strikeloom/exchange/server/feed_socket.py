"""A connection of the market feed: requests in, the latest packets out."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from strikeloom.exchange.server import packets
from strikeloom.exchange.server.feed import (
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
from strikeloom.exchange.server.stream import Stream
from strikeloom.exchange.server.troubles import Kind
from strikeloom.exchange.server.words import OPTIONS

_UNSUBSCRIBE: Final = {16: TICKER, 18: QUOTE, 22: FULL}
_DISCONNECT: Final = 12
MOST_INSTRUMENTS, MOST_A_MESSAGE = 5000, 100
_STACK: Final = 10  # packets of a message when they are stacked


class FeedSocket(Stream):
    """One connection of the market feed."""

    name = "feed"
    hub: FeedHub

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Check the token in the address; let in or say why not."""
        self.modes: dict[Place, int] = {}
        self._dirty: dict[Place, None] = {}
        self._wake = asyncio.Event()
        asked = self.get_query_argument("clientId", ""), self.get_query_argument("token", "")
        refused = door(self.house, *asked)
        self.client_id = asked[0]
        if refused is not None:
            self.farewell(refused)
            return
        self.token = asked[1]
        self.hub.admit(self)
        self._sender = asyncio.ensure_future(self._send())

    def on_message(self, message: str | bytes) -> None:
        """Take a request; binary frames are leftovers of an older protocol and mean nothing."""
        self.heard_at = self.house.seconds()
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
        told: set[Place] = set()
        await self.say(packets.market_status(SEGMENTS[OPTIONS]))
        while not self.ended:
            await self._wake.wait()
            self._wake.clear()
            while self._dirty and not self.ended:
                if self.house.seconds() < self.stalled_until:
                    await asyncio.sleep(0.05)
                    continue
                await self._send_some(told)

    async def _send_some(self, told: set[Place]) -> None:
        stacked = self.house.troubles.draw((Kind.STACKED,), self.name)
        batch = list(self._dirty)[: _STACK if stacked else 1]
        ready: list[bytes] = []
        for place in batch:
            del self._dirty[place]
            if place not in self.modes or place not in self.hub.latest:
                continue
            if place[0] == "IDX_I" and place not in told:
                told.add(place)
                ready.append(packets.previous_close(self.hub.latest[place]))
            ready += self.hub.packets(place, self.modes[place])
        for message in [b"".join(ready)] if stacked and ready else ready:
            await self.say(message)

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
        if self.client_id and not self.house.tokens.accepts(self.client_id, self.token):
            self.farewell(EXPIRED)
            return
        super().tend()


def request_of(message: str) -> tuple[int, dict[str, Any]] | None:
    """Code and body of a request; ``None`` for anything else."""
    try:
        body = json.loads(message)
    except ValueError:
        return None
    code = body.get("RequestCode") if isinstance(body, dict) else None
    return (code, body) if isinstance(code, int) else None


def place_of(row: Any) -> Place | None:
    """Segment and id that a row of a request names; ``None`` when it names none."""
    if not isinstance(row, dict):
        return None
    segment, number = row.get("ExchangeSegment"), str(row.get("SecurityId", ""))
    return (segment, int(number)) if segment in SEGMENTS and number.isdecimal() else None
