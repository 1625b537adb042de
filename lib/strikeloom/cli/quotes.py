"""``quotes``: current quotes of the desk's feed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from strikeloom.cli.options import Json, Market, Mode, desk_of, symbol_on

if TYPE_CHECKING:
    from datetime import date

    from strikeloom.domain.instruments import Instrument
    from strikeloom.domain.quotes import Quote
    from strikeloom.ports.desk import Desk

_AROUND = 3


def quotes(
    symbols: Annotated[
        list[str] | None,
        typer.Argument(
            help="Underlyings (NIFTY), or instruments: NIFTY:2026-02-24:2500000:CE, "
            "NIFTY:2026-02-24:FUT, RELIANCE:SHARE."
        ),
    ] = None,
    open_positions: Annotated[
        bool, typer.Option("--open-positions", help="Every contract held.")
    ] = False,
    market: Market = "",
    mode: Mode = "",
    as_json: Json = False,
) -> None:
    """Show quotes of instruments, or of an underlying's share, near future and strikes.

    For example:

    strikeloom quotes NIFTY BANKNIFTY

    strikeloom quotes --open-positions
    """
    from strikeloom.cli import console
    from strikeloom.errors import NoQuote

    if open_positions == bool(symbols):
        raise typer.BadParameter("name symbols, or give --open-positions")
    desk = desk_of(market, mode=mode)
    spots, wanted = [], []
    past = desk.history.as_of(desk.clock.now().date())
    for text in symbols or ():
        asked, *instrument = text.upper().split(":")
        name = symbol_on(past, asked)
        if instrument:
            wanted.append(_named(desk, name, instrument, past.day))
            continue
        symbol = _underlying(desk, name)
        level, at = desk.feed.spot(symbol)
        spots.append((symbol, level, at))
        wanted += _near(desk, symbol, level)
    if open_positions:
        wanted = _held(desk)
        if not wanted and not as_json:
            console.print_line(
                f"no position of {desk.account} is open, so there is nothing to quote. "
                "strikeloom quotes NIFTY shows its near future and the options around its level"
            )
            return
    found = desk.feed.quotes(wanted)
    if wanted and not found:
        raise NoQuote(f"none of {len(wanted)} instruments has a quote at {desk.clock.now():%H:%M}")
    if as_json:
        body = {"spots": [{"symbol": s, "level": v / 100, "at": at} for s, v, at in spots],
                "quotes": [_plain(found.get(c.key), c) for c in wanted]}  # fmt: skip
        console.as_json(body)
        return
    now = desk.clock.now()
    for symbol, level, at in spots:
        console.print_line(f"{symbol}  {level / 100:,.2f}  {(now - at).total_seconds():.0f} s old")
    console.table(
        f"Quotes of {desk.market} at {now:%Y-%m-%d %H:%M:%S}, mode {desk.mode}",
        ["instrument", "bid>", "ask>", "last>", "bid size>", "ask size>", "age, s>", ""],
        _rows(wanted, found, desk),
    )


def _named(desk: Desk, name: str, parts: list[str], day: date) -> Instrument:
    """Instrument of the parts of a key after its symbol, as listed on a day."""
    from strikeloom.domain.instruments import SHARE

    if parts == [SHARE]:
        _underlying(desk, name)
    return desk.instruments.instrument(":".join((name, *parts)), day)


def _held(desk: Desk) -> list[Instrument]:
    """Instruments of the open positions: of each symbol the share, then by expiry."""
    from strikeloom.domain.instruments import order_of

    legs = (leg for position in desk.store.positions() for leg in position.legs)
    return sorted({leg.instrument for leg in legs if leg.net_units}, key=order_of)


def _underlying(desk: Desk, name: str) -> str:
    """Symbol of an underlying.

    Raises
    ------
    DataError
        When no underlying has that name; suggests the nearest names.
    """
    import difflib

    from strikeloom.errors import DataError

    try:
        return desk.instruments.underlying(name).symbol
    except DataError:
        names = sorted(desk.history.contracts(desk.day)["symbol"].unique())
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.0)
        raise DataError(
            f"market {desk.market} has no underlying {name}; the nearest: {', '.join(near)}",
            symbol=name,
        ) from None


def _near(desk: Desk, symbol: str, level: int) -> list[Instrument]:
    """A stock's share, the near future, and the options of the nearest expiry around a level.

    As listed on the last stored day.
    """
    from strikeloom.domain.instruments import (
        FUTURE_RIGHT,
        InstrumentKind,
        Share,
        instrument_key,
    )

    today = desk.clock.now().date()
    frame = desk.history.contracts(desk.day, symbols=[symbol])
    frame = frame[frame["expiry"].dt.date >= today]
    futures = frame[frame["right"] == FUTURE_RIGHT].sort_values("expiry").iloc[:1]
    frame = frame[frame["right"] != FUTURE_RIGHT]
    frame = frame[frame["expiry"] == frame["expiry"].min()]
    strikes = sorted(frame["strike"].unique(), key=lambda strike: abs(strike * 100 - level))
    near = frame[frame["strike"].isin(strikes[: 2 * _AROUND])].sort_values(["strike", "right"])
    stock = desk.instruments.underlying(symbol).kind is InstrumentKind.STOCK
    keys = [Share(symbol).key] if stock else []
    keys += [
        instrument_key(row.symbol, row.expiry.date(), row.strike, row.right)
        for part in (futures, near)
        for row in part.itertuples()
    ]
    return [desk.instruments.instrument(key, today) for key in keys]


def _rows(
    contracts: Iterable[Instrument], found: dict[str, Quote], desk: Desk
) -> Iterable[tuple[object, ...]]:
    now = desk.clock.now()
    for instrument in contracts:
        quote = found.get(instrument.key)
        if quote is None:
            yield (instrument.label, "", "", "", "", "", "", "no quote")
            continue
        prices = (
            "" if p is None else f"{p / 100:,.2f}" for p in (quote.bid, quote.ask, quote.last)
        )
        age = f"{(now - quote.at).total_seconds():.0f}"
        how = "" if quote.source == "quoted" else str(quote.source)
        yield (instrument.label, *prices, quote.bid_size, quote.ask_size, age, how)


def _plain(quote: Quote | None, instrument: Instrument) -> dict[str, object]:
    if quote is None:
        return {"contract": instrument.key, "quote": None}
    return {
        "contract": instrument.key,
        "quote": {
            "bid": quote.bid,
            "ask": quote.ask,
            "last": quote.last,
            "bid_size": quote.bid_size,
            "ask_size": quote.ask_size,
            "volume": quote.volume,
            "open_interest": quote.open_interest,
            "at": quote.at,
            "source": quote.source,
        },
    }


COMMANDS = (quotes,)
