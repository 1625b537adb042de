"""The feed as a desk has it, with stand-ins for what a load does not need: REST and the list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from strikeloom.adapters.dhan.client import DhanResponse
from strikeloom.adapters.dhan.credentials import Addresses, Credentials
from strikeloom.adapters.dhan.day_list import SecurityId
from strikeloom.adapters.dhan.feed import DhanFeed
from strikeloom.adapters.dhan.live_quotes import LiveQuotes
from strikeloom.adapters.dhan.rate_limiter import CallClass, RateLimiter
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.settings.secrets import Secret


class Silent:
    """A client whose every answer holds no quotes."""

    def __init__(self) -> None:
        self.credentials = Credentials(Secret("1000000001"), lambda: Secret("local-token"))
        self.limits = RateLimiter()

    def call(self, _kind: object, method: str, *_args: object, **_named: object) -> DhanResponse:
        self.limits.take(CallClass.QUOTE)
        return DhanResponse(method, 200, body={"status": "success", "data": {}})


class Numbered:
    """Contracts numbered from 1 on."""

    def __init__(self, count: int) -> None:
        self.contracts = [
            OptionContract(
                "NIFTY", date(2030, 1, 31), 100 * (1 + n), Right.CALL, InstrumentKind.INDEX, 65, 5
            )
            for n in range(count)
        ]
        self._numbers = {instrument.key: 1 + n for n, instrument in enumerate(self.contracts)}

    def in_force(self) -> date:
        return date(2026, 6, 10)

    def security_of(self, key: str, _day: date) -> SecurityId:
        return SecurityId("NSE_FNO", self._numbers[key])


def reader(
    url: str, count: int, cache: LiveQuotes, on_tick: Callable[[], None] = lambda: None
) -> tuple[DhanFeed, list[OptionContract]]:
    """A feed that streams from ``url`` into ``cache``, and its contracts."""
    listed: Any = Numbered(count)
    client: Any = Silent()
    addresses = Addresses(rest=url, feed=url, orders=url)
    settlements: Any = None
    feed = DhanFeed(client, listed, SystemClock(), settlements, stream=addresses, on_tick=on_tick)
    feed.cache = cache
    return feed, listed.contracts


def subscribe(feed: DhanFeed, contracts: Iterable[OptionContract]) -> None:
    """Begin to stream."""
    feed.quotes(contracts)
