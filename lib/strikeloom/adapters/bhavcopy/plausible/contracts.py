"""Contracts of one day, alone: dates, prices, units, levels, finals, ids and lots."""

from __future__ import annotations

import numpy as np

from strikeloom.adapters.bhavcopy.plausible.day_table import DayTable, agreed, rupees
from strikeloom.adapters.bhavcopy.plausible.findings import Findings
from strikeloom.domain.instruments import InstrumentKind
from strikeloom.nse.underlyings import known

_STRIKES = 0.1, 10.0  # over the level; 0.24 to 2.04 in the real files, 3.7 in the fall of a bank
_MIDDLE = 0.4, 2.5  # mean strike of a symbol over its level; 0.84 to 1.28
_FUTURES = 0.4, 2.5  # prices of a future over the level; 0.79 to 1.19
_FAR = 20.0  # high over close, close over low
_MOST_FAR = 0.5  # of the traded options
_MOST_ODD = 0.3  # open interest that is no whole number of lots; 0.06
_ENOUGH = 20
_MOST_EARLY = 4  # symbols that end before their expiries; 1 in the real files
_MOST_LONE = 3  # none in the real files
_MARKET = 20  # stocks in a file that must be the whole market's
_FEWEST_STOCKS = 100  # 206 to 223 in the real files of 2025 and 2026
_MANY_STOCKS_SINCE = int(np.datetime64("2012-01-01", "D").astype(np.int64))
_SIDES = ("open", "high", "low", "close")


def check_contracts(day: DayTable, found: Findings) -> None:
    """Check the contracts of one file against each other."""
    _dates(day, found)
    _prices(day, found)
    if day.complete:
        _levels(day, found)
        _series(day, found)
    _finals(day, found)
    with np.errstate(invalid="ignore", divide="ignore"):
        _units(day, found)
        _futures(day, found)
    _whole(day, found)


def _dates(day: DayTable, found: Findings) -> None:
    def describe(row: int) -> str:
        return f"{day.named(row)}: day {_text(day.dates[row])} in a file of {day.date}"

    found.damaged("dates", day.dates != day.number, describe)
    early = day.last_day < day.number

    def ended(row: int) -> str:
        return f"{day.named(row)}: ended on {_text(day.last_day[row])}, before {day.date}"

    found.damaged("dates", early, ended)

    def late(row: int) -> str:
        return f"{day.named(row)}: ends on {_text(day.last_day[row])}, after its expiry"

    found.damaged("dates", day.last_day > day.expiry, late)
    _early(day, found)


def _early(day: DayTable, found: Findings) -> None:
    """All contracts of a symbol that ends early have one last day, and few symbols end early."""
    rows = np.flatnonzero(day.last_day < day.expiry)
    if not len(rows):
        return
    symbols = np.unique(day.codes[rows])
    names = ", ".join(day.symbols[code] for code in symbols[:5])
    if len(symbols) > _MOST_EARLY:
        found.object("dates", f"{len(symbols)} symbols end before their expiries ({names})")
        return
    least, most = np.full((2, len(day.symbols)), day.number)
    least[symbols] = np.iinfo(np.int64).max
    np.minimum.at(least, day.codes[rows], day.last_day[rows])
    np.maximum.at(most, day.codes[rows], day.last_day[rows])
    several = (day.last_day < day.expiry) & (least != most)[day.codes]

    def describe(row: int) -> str:
        return (
            f"{day.named(row)}: ends on {_text(day.last_day[row])}, others of its symbol on "
            f"{_text(least[day.codes[row]])}"
        )

    found.damaged("dates", several, describe)


def _prices(day: DayTable, found: Findings) -> None:
    """A traded option has four prices, its close from low to high. A future may lack some."""
    opens, high, low, close = (day.numbers(side) for side in _SIDES)
    option = ~day.future
    # a comparison with a missing price is false
    inside = (low <= close) & (close <= high) & (low <= opens) & (opens <= high)
    bad = day.traded & ((option & ~inside) | (high < low))

    def describe(row: int) -> str:
        return (
            f"{day.named(row)}: open {rupees(opens[row])}, high {rupees(high[row])}, low "
            f"{rupees(low[row])}, close {rupees(close[row])}"
        )

    traded = day.traded & option
    found.damaged("prices", bad, describe, of=int(day.traded.sum()))
    far = traded & ((high > _FAR * close) | (close > _FAR * low))
    count = int(traded.sum())
    if count >= _ENOUGH and far.sum() > _MOST_FAR * count:
        row = int(np.argmax(far))
        found.object(
            "units",
            f"the range of {far.sum()} of {count} traded options is more than {_FAR:g} times off "
            f"their close, such as {describe(row)}",
        )


def _levels(day: DayTable, found: Findings) -> None:
    """Every row of a symbol has the same level of the underlying."""
    here = day.numbers("underlying").astype(float)
    level = day.level[day.codes]

    def describe(row: int) -> str:
        return f"{day.named(row)}: underlying {rupees(here[row])}, others have {rupees(level[row])}"

    found.damaged("underlying", here != level, describe)
    wrong = day.stock != day.stock_symbols[day.codes]
    found.damaged("contracts", wrong, lambda row: f"{day.named(row)}: both stock and index")
    kinds = {name: item.kind is InstrumentKind.STOCK for name, item in known().items()}
    on_record = np.array([kinds.get(name, here) for name, here in zip(
        day.symbols, day.stock_symbols.tolist(), strict=True)])  # fmt: skip
    other = (day.stock_symbols != on_record)[day.codes]

    def kind(row: int) -> str:
        here, there = ("stock", "index") if day.stock[row] else ("index", "stock")
        return f"{day.named(row)}: a contract of a {here}, {day.symbols[day.codes[row]]} is {there}"

    found.damaged("contracts", other, kind)


def _finals(day: DayTable, found: Findings) -> None:
    """Everything of a symbol that ends settles at one value, its underlying's."""
    final = day.numbers("final_settlement").astype(float)
    ended = (day.last_day <= day.number) if day.complete else ~np.isnan(final)
    rows = np.flatnonzero(ended)
    if not len(rows):
        return
    if day.complete:
        level = day.level
    else:
        codes = day.codes[rows]
        first = np.zeros(len(day.symbols), dtype=np.int64)
        first[codes[::-1]] = np.arange(len(rows))[::-1]
        level = agreed(final[rows], codes, first)
    bad = ended & (final != level[day.codes])

    def describe(row: int) -> str:
        right = level[day.codes[row]]
        other = f"the underlying is {rupees(right)}" if day.complete else "others differ"
        return f"{day.named(row)}: final settlement {rupees(final[row])}, {other}"

    found.damaged("underlying", bad, describe)


def _units(day: DayTable, found: Findings) -> None:
    """Strikes lie around the level, a call is worth less than it, a put less than its strike."""
    level = day.level[day.codes]
    option = ~day.future & ~np.isnan(level)
    ratio = day.strike / level
    outside = option & ((ratio < _STRIKES[0]) | (ratio > _STRIKES[1]))

    def strike(row: int) -> str:
        return f"{day.named(row)}: strike {rupees(day.strike[row])}, level {rupees(level[row])}"

    found.damaged("units", outside, strike)
    kept = option & ~outside
    codes = day.codes[kept]
    count = np.bincount(codes, minlength=len(day.symbols))
    mean = np.bincount(codes, ratio[kept], minlength=len(day.symbols)) / count
    off = ((mean < _MIDDLE[0]) | (mean > _MIDDLE[1])) & (count > _ENOUGH)
    if off.any():
        found.damaged("units", (option & off[day.codes]), strike)
    most = np.where(day.call, level, day.strike.astype(float))
    close, settle = day.numbers("close"), day.numbers("settle")
    dear = option & ~outside & ((close > most) | (settle > most))

    def price(row: int) -> str:
        return (
            f"{day.named(row)}: close {rupees(close[row])}, settlement {rupees(settle[row])}, "
            f"above the {'level' if day.call[row] else 'strike'} of {rupees(most[row])}"
        )

    found.damaged("units", dear, price)


def _futures(day: DayTable, found: Findings) -> None:
    """Each price of a future is near the level."""
    rows = np.flatnonzero(day.future)
    level = day.level[day.codes[rows]]
    bad = np.zeros(day.rows, dtype=bool)
    worst = np.full(day.rows, np.nan)
    for side in (*_SIDES, "settle"):
        prices = day.numbers(side)[rows]
        ratio = prices / level
        off = (ratio < _FUTURES[0]) | (ratio > _FUTURES[1])
        bad[rows[off]] = True
        worst[rows[off]] = prices[off]

    def describe(row: int) -> str:
        level = day.level[day.codes[row]]
        return f"{day.named(row)}: a price of {rupees(worst[row])}, level {rupees(level)}"

    found.damaged("units", bad, describe, of=len(rows))


def _series(day: DayTable, found: Findings) -> None:
    """Ids are unique, and each expiry of a symbol has one lot."""
    import pyarrow as pa

    twice = np.zeros(day.rows, dtype=bool)
    if day.numbered:
        last = day.row_of_id[day.ids]
        rows = np.flatnonzero(last != np.arange(day.rows))
        other = last[rows]
        differs = (
            (day.codes[rows] != day.codes[other])
            | (day.strike[rows] != day.strike[other])
            | (day.expiry[rows] != day.expiry[other])
            | (day.call[rows] != day.call[other])
        )
        twice[rows[differs]] = twice[other[differs]] = True  # an equal contract is a repeat
    elif day.ids.max() > 0:
        found.object("contracts", f"instrument ids up to {day.ids.max()}, expected up to 5,000,000")
    found.damaged(
        "contracts",
        twice,
        lambda row: f"{day.named(row)}: instrument id {day.ids[row]} of another contract",
    )
    lot = day.numbers("lot_size").astype(float)
    series = day.codes.astype(np.int64) << 20 | day.expiry
    codes = pa.array(series).dictionary_encode().indices.to_numpy()
    first = np.zeros(int(codes.max()) + 1, dtype=np.int64)
    first[codes[::-1]] = np.arange(day.rows)[::-1]
    if not (lot == lot[first][codes]).all():
        usual = agreed(lot, codes, first)[codes]

        def describe(row: int) -> str:
            known = "they differ" if np.isnan(usual[row]) else f"its series has {usual[row]:.0f}"
            return f"{day.named(row)}: lot {lot[row]:.0f}, {known}"

        found.damaged("contracts", lot != usual, describe)
    interest, change = day.numbers("open_interest"), day.numbers("oi_change")

    def gained(row: int) -> str:
        return f"{day.named(row)}: open interest {interest[row]}, gained {change[row]} that day"

    found.damaged("contracts", change > interest, gained)
    held = interest > 0
    odd, count = int((held & (interest % lot != 0)).sum()), int(held.sum())
    if count >= _ENOUGH and odd > _MOST_ODD * count:
        found.object(
            "contracts",
            f"open interest is no whole number of lots in {odd} of {count} rows; it counts units",
        )


def _whole(day: DayTable, found: Findings) -> None:
    """A file with many stocks holds the whole market; each symbol has futures and options."""
    stocks = int(day.stock_symbols.sum())
    if stocks < _MARKET:
        return
    if day.number < _MANY_STOCKS_SINCE:
        return  # the market was small, and had one index
    absent = [name for name in ("NIFTY", "BANKNIFTY") if name not in day.symbols]
    if absent or stocks < _FEWEST_STOCKS:
        lacks = f"not {' and '.join(absent)}" if absent else "no others"
        found.object(
            "missing",
            f"it holds {stocks} stocks and {lacks}, last {max(day.symbols)}; it may be cut off",
        )
    futures = np.bincount(day.codes[day.future], minlength=len(day.symbols)) > 0
    options = np.bincount(day.codes[~day.future], minlength=len(day.symbols)) > 0
    lone = np.flatnonzero(futures != options)
    if len(lone):
        names = ", ".join(day.symbols[code] for code in lone[:5])
        why = f"{len(lone)} symbols have futures or options only ({names}); it may be cut off"
        if len(lone) > _MOST_LONE:
            found.object("missing", why)
        else:
            found.remark(why)


def _text(day: int) -> str:
    return str(np.datetime64(int(day), "D"))
