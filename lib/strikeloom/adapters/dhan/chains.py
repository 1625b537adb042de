"""``ports.chains.Chains`` over Dhan's option-chain calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.errors import call_checked
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.rate_limiter import CallClass
from strikeloom.domain.frames import QUOTES
from strikeloom.errors import BrokerError, NoQuote
from strikeloom.ports.clock import Clock

if TYPE_CHECKING:
    import pandas as pd

_RIGHTS = {"ce": "CE", "pe": "PE"}


class DhanChains:
    """Live chains, at most once in three seconds for one underlying and expiry."""

    def __init__(self, client: DhanClient, instruments: DhanInstruments, clock: Clock) -> None:
        self._client = client
        self._instruments = instruments
        self._clock = clock

    def expiries(self, symbol: str) -> list[date]:
        """Live expiries of an underlying, ascending.

        Raises
        ------
        RateLimited, Unreachable
            Nothing was read; try again later.
        DataError
            When the symbol is not in the broker's list.
        """
        security = self._security(symbol)
        body = self._call(
            "expiry_list", security.number, security.segment, what=f"expiries of {symbol}"
        )
        try:
            return sorted(date.fromisoformat(text) for text in body["data"])
        except (KeyError, TypeError, ValueError) as error:
            raise BrokerError(f"Dhan's expiries of {symbol} cannot be read: {error}") from None

    def chain(self, symbol: str, expiry: date) -> pd.DataFrame:
        """``domain.frames.QUOTES`` rows of one expiry; ``at`` is the time of the reply.

        Raises
        ------
        RateLimited, Unreachable
            Nothing was read; try again later.
        NoQuote
            When the reply names no level of the underlying, or no strike.
        """
        security = self._security(symbol)
        body = self._call(
            "option_chain",
            security.number,
            security.segment,
            str(expiry),
            what=f"chain of {symbol} {expiry}",
        )
        return chain_frame(body, symbol, expiry, self._clock.now())

    def _security(self, symbol: str) -> Any:
        return self._instruments.spot_of(symbol, self._clock.now().date())

    def _call(self, method: str, *args: Any, what: str) -> Any:
        self._client.limits.take(CallClass.DATA)
        about = (method, *args)
        return call_checked(self._client, CallClass.CHAIN, method, *args, about=about, what=what)


def chain_frame(body: Any, symbol: str, expiry: date, at: datetime) -> pd.DataFrame:
    """``QUOTES`` of an option-chain response.

    Raises
    ------
    NoQuote
        When it names no level of the underlying, or no strike.
    BrokerError
        When it cannot be read.
    """
    import pandas as pd

    try:
        data = body["data"]
        spot = float(data.get("last_price") or 0.0)
        rows = list(_rows(data.get("oc") or {}))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BrokerError(f"Dhan's chain of {symbol} {expiry} cannot be read: {error}") from None
    if not rows or spot <= 0:
        raise NoQuote(f"Dhan's chain of {symbol} {expiry} is empty: spot {spot}, {len(rows)} rows")
    frame = pd.DataFrame(rows)
    frame["at"] = pd.Timestamp(at)
    frame["symbol"] = symbol
    frame["expiry"] = pd.Timestamp(expiry)
    frame["spot"] = round(spot, 2)
    frame = frame.sort_values(["strike", "right"], ignore_index=True)
    return QUOTES.check(frame, where=f"Dhan's chain of {symbol} {expiry}")


def _rows(chain: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for strike, sides in chain.items():
        for name, right in _RIGHTS.items():
            side = sides.get(name)
            if side is None:
                continue
            bid, ask = _price(side["top_bid_price"]), _price(side["top_ask_price"])
            yield {
                "strike": round(float(strike), 2),
                "right": right,
                "bid": bid,
                "ask": ask,
                "last": _price(side["last_price"]),
                "bid_size": int(side["top_bid_quantity"] or 0) if bid > 0 else 0,
                "ask_size": int(side["top_ask_quantity"] or 0) if ask > 0 else 0,
                "volume": int(side["volume"] or 0),
                "open_interest": int(side["oi"] or 0),
            }


def _price(value: Any) -> float:
    """Rupees to the paisa (prices carry the noise of a float32); NaN for none."""
    price = round(float(value or 0.0), 2)
    return price if price > 0 else float("nan")
