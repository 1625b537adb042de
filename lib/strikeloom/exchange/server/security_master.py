"""The security master as a file, in both layouts of the broker."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date

from strikeloom.domain.instruments import (
    FUTURE_RIGHT,
    Contract,
    Instrument,
    InstrumentKind,
    OptionContract,
    Share,
)
from strikeloom.domain.money import rupees
from strikeloom.exchange.market.securities import Listed, ListedUnderlying
from strikeloom.exchange.server.served_market import ServedMarket
from strikeloom.exchange.server.wire_codes import CONTRACTS, instrument_type
from strikeloom.exchange.server.wire_securities import WireSecurities
from strikeloom.nse.freeze import freeze_units

_COMPACT_HEADER = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,"
    "SEM_TRADING_SYMBOL,SEM_LOT_UNITS,SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,"
    "SEM_OPTION_TYPE,SEM_TICK_SIZE,SEM_EXPIRY_FLAG,SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,"
    "SM_SYMBOL_NAME"
)
#: Ends with a comma: one column more without a name, as the broker writes it.
_DETAILED_HEADER = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,"
    "SYMBOL_NAME,DISPLAY_NAME,INSTRUMENT_TYPE,SERIES,LOT_SIZE,SM_EXPIRY_DATE,STRIKE_PRICE,"
    "OPTION_TYPE,TICK_SIZE,EXPIRY_FLAG,BRACKET_FLAG,COVER_FLAG,ASM_GSM_FLAG,ASM_GSM_CATEGORY,"
    "BUY_SELL_INDICATOR,BUY_CO_MIN_MARGIN_PER,BUY_CO_SL_RANGE_MAX_PERC,"
    "BUY_CO_SL_RANGE_MIN_PERC,BUY_BO_MIN_MARGIN_PER,BUY_BO_PROFIT_RANGE_MAX_PERC,"
    "BUY_BO_PROFIT_RANGE_MIN_PERC,MTF_LEVERAGE,SM_UPPER_LIMIT,SM_LOWER_LIMIT,SM_FREEZE_QTY,"
)
COMPACT = _COMPACT_HEADER.split(",")
DETAILED = _DETAILED_HEADER.split(",")
_PERCENTS = DETAILED[DETAILED.index("BUY_CO_MIN_MARGIN_PER") : DETAILED.index("SM_UPPER_LIMIT")]

#: An index contract's number of its underlying is not the index's own (26000 for NIFTY's 13).
_CONTRACT_ROOT = 25987
_INDEX_TICK = "0.0500"  # rupees, where every other row is in paise
_STOCK_TICK = 5  # paise, of a stock whose share is not traded here
_NO_STRIKE = "-0.01000"
_NO_EXPIRY = "0001-01-01"

Row = Mapping[str, object]


def compact_master(market: ServedMarket) -> str:
    """Write the compact layout: 16 columns."""
    monthly, ticks = _monthly(market), _share_ticks(market)
    rows = [_compact_root(row, ticks.get(row.symbol, _STOCK_TICK)) for row in _roots(market)]
    rows += [_compact(row, it, monthly) for row, it in _contracts(market)]
    return _write(COMPACT, rows)


def detailed_master(market: ServedMarket, day: date, *, segment: str | None = None) -> str:
    """Write the detailed layout, of one segment or of all."""
    roots, ticks = {row.symbol: row for row in _roots(market)}, _share_ticks(market)
    rows: list[Row] = [
        _root(row, ticks.get(row.symbol, _STOCK_TICK), market)
        for row in roots.values()
        if segment in (None, row.segment)
    ]
    if segment in (None, CONTRACTS):
        monthly = _monthly(market)
        rows += [
            {
                **_contract(row, it, roots[it.symbol], day, market),
                "EXPIRY_FLAG": _flag(it, monthly),
            }
            for row, it in _contracts(market)
        ]
    return _write(DETAILED, rows)


def _contracts(market: ServedMarket) -> list[tuple[Listed, Contract]]:
    return [(row, it) for row in market.listed if not isinstance(it := row.instrument, Share)]


def _share_ticks(market: ServedMarket) -> dict[str, int]:
    shares = (row.instrument for row in market.listed if isinstance(row.instrument, Share))
    return {it.symbol: it.tick for it in shares}


def _roots(market: ServedMarket) -> list[ListedUnderlying]:
    """Indices and stocks; a share that is no underlying of the day is a stock like them."""
    known = {row.symbol for row in market.underlyings}
    numbers = WireSecurities(market)
    more = [
        ListedUnderlying(it.symbol, InstrumentKind.STOCK, numbers.number(it))
        for row in market.listed
        if isinstance(it := row.instrument, Share) and it.symbol not in known
    ]
    return [*market.underlyings, *more]


def _write(columns: list[str], rows: Iterable[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(name, "") for name in columns] for row in rows)
    return text.getvalue()


def _monthly(market: ServedMarket) -> frozenset[tuple[str, date]]:
    """Symbol and last listed expiry of each month: not by a rule, calendars end before them."""
    last: dict[tuple[str, int, int], date] = {}
    for _, it in _contracts(market):
        of = it.symbol, it.expiry.year, it.expiry.month
        last[of] = max(it.expiry, last.get(of, it.expiry))
    return frozenset((symbol, expiry) for (symbol, _, _), expiry in last.items())


def _flag(it: Contract, monthly: frozenset[tuple[str, date]]) -> str:
    """Monthly or weekly; every future is monthly."""
    of = it.symbol, it.expiry
    weekly = isinstance(it, OptionContract) and of not in monthly
    return "W" if weekly and it.kind is InstrumentKind.INDEX else "M"


def _strike(it: Contract) -> str:
    return f"{rupees(it.strike):.5f}" if isinstance(it, OptionContract) else _NO_STRIKE


def _right(it: Contract) -> str:
    return it.right.value if isinstance(it, OptionContract) else FUTURE_RIGHT


def _group(it: Contract) -> str:
    return "OP" if isinstance(it, OptionContract) else "FUT"


def _compact(row: Listed, it: Contract, monthly: frozenset[tuple[str, date]]) -> Row:
    return {
        "SEM_EXM_EXCH_ID": "NSE",
        "SEM_SEGMENT": "D",
        "SEM_SMST_SECURITY_ID": row.security_id,
        "SEM_INSTRUMENT_NAME": instrument_type(it),
        "SEM_EXPIRY_CODE": 0,
        "SEM_TRADING_SYMBOL": row.trading_symbol,
        "SEM_LOT_UNITS": f"{it.lot_size:.1f}",
        "SEM_CUSTOM_SYMBOL": row.display,
        "SEM_EXPIRY_DATE": f"{it.expiry:%Y-%m-%d} 14:30:00",
        "SEM_STRIKE_PRICE": _strike(it),
        "SEM_OPTION_TYPE": _right(it),
        "SEM_TICK_SIZE": f"{it.tick:.4f}",
        "SEM_EXPIRY_FLAG": _flag(it, monthly),
        "SEM_EXCH_INSTRUMENT_TYPE": _group(it),
    }


def _compact_root(row: ListedUnderlying, tick: int) -> Row:
    index = row.kind is InstrumentKind.INDEX
    return {
        "SEM_EXM_EXCH_ID": "NSE",
        "SEM_SEGMENT": "I" if index else "E",
        "SEM_SMST_SECURITY_ID": row.security_id,
        "SEM_INSTRUMENT_NAME": "INDEX" if index else "EQUITY",
        "SEM_EXPIRY_CODE": 0,
        "SEM_TRADING_SYMBOL": row.symbol,
        "SEM_LOT_UNITS": "1.0",
        "SEM_CUSTOM_SYMBOL": row.symbol,
        "SEM_EXPIRY_DATE": _NO_EXPIRY if index else "",
        "SEM_OPTION_TYPE": "XX" if index else "",
        "SEM_TICK_SIZE": _INDEX_TICK if index else f"{tick:.4f}",
        "SEM_EXPIRY_FLAG": "" if index else "NA",
        "SEM_EXCH_INSTRUMENT_TYPE": "INDEX" if index else "ES",
        "SEM_SERIES": "X" if index else "EQ",
        "SM_SYMBOL_NAME": row.symbol,
    }


_SAME = {
    "EXCH_ID": "NSE",
    "ISIN": "NA",
    "BRACKET_FLAG": "N",
    "COVER_FLAG": "N",
    "ASM_GSM_FLAG": "N",
    "ASM_GSM_CATEGORY": "NA",
    "BUY_SELL_INDICATOR": "A",
    **dict.fromkeys(_PERCENTS, 0),
    "SM_UPPER_LIMIT": 0,
    "SM_LOWER_LIMIT": 0,
    "SM_FREEZE_QTY": 0,
}


def _root(row: ListedUnderlying, tick: int, market: ServedMarket) -> Row:
    index = row.kind is InstrumentKind.INDEX
    low, high = (None if index else market.band(Share(row.symbol))) or (0, 0)
    return {
        **_SAME,
        "SEGMENT": "I" if index else "E",
        "SECURITY_ID": row.security_id,
        "INSTRUMENT": "INDEX" if index else "EQUITY",
        "UNDERLYING_SECURITY_ID": row.security_id if index else "",
        "UNDERLYING_SYMBOL": row.symbol,
        "SYMBOL_NAME": row.symbol,
        "DISPLAY_NAME": row.symbol,
        "INSTRUMENT_TYPE": "INDEX" if index else "ES",
        "SERIES": "NA" if index else "EQ",
        "LOT_SIZE": 1,
        "SM_EXPIRY_DATE": _NO_EXPIRY if index else "",
        "OPTION_TYPE": "XX" if index else "",
        "TICK_SIZE": _INDEX_TICK if index else f"{tick:.4f}",
        "EXPIRY_FLAG": "NA",
        "SM_UPPER_LIMIT": rupees(high),
        "SM_LOWER_LIMIT": rupees(low),
    }


def _freeze(it: Instrument, day: date) -> int:
    """One more than the largest order of whole lots; 0: none published."""
    freeze = freeze_units(it.symbol, day)
    return 0 if freeze is None else freeze // it.lot_size * it.lot_size + 1


def _contract(
    row: Listed, it: Contract, root: ListedUnderlying, day: date, market: ServedMarket
) -> Row:
    low, high = market.band(it) or (0, 0)
    number = root.security_id + (_CONTRACT_ROOT if it.kind is InstrumentKind.INDEX else 0)
    return {
        **_SAME,
        "SEGMENT": "D",
        "SECURITY_ID": row.security_id,
        "INSTRUMENT": instrument_type(it),
        "UNDERLYING_SECURITY_ID": number,
        "UNDERLYING_SYMBOL": it.symbol,
        "SYMBOL_NAME": row.trading_symbol,
        "DISPLAY_NAME": row.display,
        "INSTRUMENT_TYPE": _group(it),
        "SERIES": "NA",
        "LOT_SIZE": f"{it.lot_size:.1f}",
        "SM_EXPIRY_DATE": f"{it.expiry:%Y-%m-%d}",
        "STRIKE_PRICE": _strike(it),
        "OPTION_TYPE": _right(it),
        "TICK_SIZE": f"{it.tick:.4f}",
        "SM_UPPER_LIMIT": rupees(high),
        "SM_LOWER_LIMIT": rupees(low),
        "SM_FREEZE_QTY": _freeze(it, day),
    }
