"""F&O bhavcopy in both layouts to ``CONTRACTS`` rows.

Peculiarities of the files are resolved here:

- An untraded contract shows an earlier close, however stale: its prices are left out.
- On the last day of an option its settlement is the final value of the underlying and goes to
  ``final_settlement``. The last day (``last_day``, ``FininstrmActlXpryDt``) may come before the
  expiry: on 2025-01-03 all ITC contracts ended for a demerger and were listed again, with
  the same expiries, on 2025-01-06. The old layout shows it only on that day, in its settlements.
- A settlement of 0 in UDiFF files is one: the exchange's theoretical price rounded, of an index
  option that may have traded earlier in the day. It is kept; other prices of 0 are none.
- A contract is known by the expiry it is listed with (``XpryDt``): in that case three expiries
  of a strike share one last day, so the last day cannot identify them.
- Volume counts lots, open interest units; the lot size comes with each contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.bhavcopy.csv_text import CsvText
from strikeloom.adapters.bhavcopy.parsed import Mismatch, ParsedRows
from strikeloom.adapters.bhavcopy.table import CsvTable, TextColumn
from strikeloom.adapters.parquet.datasets import DATASETS, paise_array
from strikeloom.domain.instruments import InstrumentKind

if TYPE_CHECKING:
    import pyarrow as pa

_UDIFF = {
    "day": "TradDt",
    "symbol": "TckrSymb",
    "instrument": "FinInstrmTp",
    "expiry": "XpryDt",
    "strike": "StrkPric",
    "right": "OptnTp",
    "open": "OpnPric",
    "high": "HghPric",
    "low": "LwPric",
    "close": "ClsPric",
    "settle": "SttlmPric",
    "lots_traded": "TtlTradgVol",
    "open_interest": "OpnIntrst",
    "oi_change": "ChngInOpnIntrst",
    "previous_close": "PrvsClsgPric",
    "underlying": "UndrlygPric",
    "lot_size": "NewBrdLotQty",
    "instrument_id": "FinInstrmId",
}
_LEGACY = {
    "day": "TIMESTAMP",
    "symbol": "SYMBOL",
    "instrument": "INSTRUMENT",
    "expiry": "EXPIRY_DT",
    "strike": "STRIKE_PR",
    "right": "OPTION_TYP",
    "open": "OPEN",
    "high": "HIGH",
    "low": "LOW",
    "close": "CLOSE",
    "settle": "SETTLE_PR",
    "lots_traded": "CONTRACTS",
    "open_interest": "OPEN_INT",
    "oi_change": "CHG_IN_OI",
}
_SEGMENT, _EXCHANGE, _LAST_DAY = "Sgmt", "Src", "FininstrmActlXpryDt"
_TURNOVER = "TtlTrfVal"
UDIFF_COLUMNS = (*_UDIFF.values(), _SEGMENT, _EXCHANGE, _LAST_DAY, _TURNOVER)
LEGACY_COLUMNS = tuple(_LEGACY.values())
_LEGACY_2005 = {**_LEGACY, "right": "OPTIONTYPE"}
LEGACY_2005_COLUMNS = tuple(_LEGACY_2005.values())

_TEXTS = ("day", "symbol", "instrument", "expiry", "right")
_INDEX, _STOCK = InstrumentKind.INDEX.value, InstrumentKind.STOCK.value
_FUTURES = {"IDF": _INDEX, "STF": _STOCK, "FUTIDX": _INDEX, "FUTIVX": _INDEX, "FUTSTK": _STOCK}
_OPTIONS = {"IDO": _INDEX, "STO": _STOCK, "OPTIDX": _INDEX, "OPTSTK": _STOCK}
_INTEREST_FUTURE = "FUTINT"  # of 2003 to 2005; no stock or index
_FUTURE = "XX"
_ROUNDED = 0.02  # rupees; turnover has two decimals
# CA and PA: stock options were American until January 2011
_RIGHTS = {"CE": "CE", "PE": "PE", "CA": "CE", "PA": "PE", "": "XX", "XX": "XX", "FF": "XX"}


def udiff(text: CsvText) -> ParsedRows:
    """UDiFF layout of the F&O segment of NSE."""
    texts = [*(_UDIFF[ours] for ours in _TEXTS), _LAST_DAY]
    fixed = [_UDIFF["day"], _SEGMENT, _EXCHANGE]
    numbers = [*_numbers(_UDIFF), _TURNOVER]
    table = CsvTable(text, texts=texts, numbers=numbers, fixed=fixed)
    # BSE and the cash segment publish under the same header
    table.translated(_SEGMENT, {"FO": "FO"})
    table.translated(_EXCHANGE, {"NSE": "NSE"})
    rows = _rows(table, _UDIFF, table.days(_LAST_DAY))
    return ParsedRows(rows.table, mismatches=_mismatches(table))


def _mismatches(table: CsvTable) -> tuple[Mismatch, ...]:
    """Options whose prices, volume and turnover do not go together.

    Without a trade there are no prices of the day and the close is the previous one. The turnover
    of the units traded, less the strike, lies from low to high.
    """
    option = table.translated(_UDIFF["right"], _RIGHTS)
    of_option = np.array(option.distinct)[option.codes] != _FUTURE
    lots, lot = table.counts(_UDIFF["lots_traded"]), table.counts(_UDIFF["lot_size"])
    high, low, close, before = (
        table.prices(_UDIFF[name]) for name in ("high", "low", "close", "previous_close")
    )
    traded = lots > 0
    priced = ~np.isnan(table.prices(_UDIFF["open"])) | ~np.isnan(high) | ~np.isnan(low)
    idle = of_option & ~traded & (priced | (close != before))
    turnover, strike = table.numbers(_TURNOVER), table.prices(_UDIFF["strike"])
    mean = turnover / np.maximum(1, lots * lot) - strike
    # a comparison with a missing price is false: without a range there is another objection
    inside = (mean >= low - _ROUNDED) & (mean <= high + _ROUNDED)
    off = of_option & traded & (low <= close) & (close <= high) & ~inside

    def untraded(row: int) -> str:
        shown = {"high": high, "low": low, "close": close, "previous close": before}
        stated = (f"{name} {prices[row]:.2f}" for name, prices in shown.items() if prices[row] > 0)
        return f"{', '.join(stated)} without a trade"

    def average(row: int) -> str:
        return (
            f"turnover {turnover[row]:.2f} of {lots[row]} lots of {lot[row]} is {mean[row]:.2f} "
            f"each, low {low[row]:.2f}, high {high[row]:.2f}"
        )

    return Mismatch("prices", idle, untraded), Mismatch("units", off, average)


def legacy(text: CsvText) -> ParsedRows:
    """Layout of ``fo...bhav`` files up to July 2024: no lot, underlying, id, previous close."""
    names = _LEGACY if _LEGACY["right"] in text.header else _LEGACY_2005
    table = CsvTable(text, texts=[names[ours] for ours in _TEXTS], numbers=_numbers(names))
    left_out = table.leave_out(names["instrument"], _INTEREST_FUTURE)
    day = table.days(names["day"])
    ended = _settled_at_one_level(table, names) | (table.days(names["expiry"]) == day)
    rows = _rows(table, names, np.where(ended, day, np.datetime64("NaT")))
    note = f"{left_out} rows of interest futures left out" if left_out else ""
    return ParsedRows(rows.table, note)


def _numbers(names: Mapping[str, str]) -> list[str]:
    return [theirs for ours, theirs in names.items() if ours not in _TEXTS]


def _settled_at_one_level(table: CsvTable, names: Mapping[str, str]) -> np.ndarray:
    """Rows of expiries that end before their date; this layout has no column for it.

    Every option of such an expiry, call or put, settles at one value near its strikes;
    theoretical prices never do.
    """
    symbols = table.texts(names["symbol"])
    expiries = table.days(names["expiry"]).astype(np.int64)
    settle, strike = table.prices(names["settle"]), table.prices(names["strike"])
    right = table.translated(names["right"], _RIGHTS)
    rights = np.array(right.distinct)[right.codes]
    _, group = np.unique(expiries * len(symbols.distinct) + symbols.codes, return_inverse=True)
    options = np.flatnonzero(rights != _FUTURE)
    low, high, strikes = np.full((3, group.max() + 1), np.inf)
    high *= -1
    np.fmin.at(low, group[options], settle[options])
    np.fmax.at(high, group[options], settle[options])
    np.minimum.at(strikes, group[options], strike[options])
    both = [np.isin(np.arange(len(low)), group[rights == side]) for side in ("CE", "PE")]
    ended = (low == high) & (low > strikes / 2) & both[0] & both[1]
    return np.asarray(ended[group])


def _rows(table: CsvTable, names: Mapping[str, str], last_day: np.ndarray) -> ParsedRows:
    """Rows in the format on disk, texts dictionary-coded.

    Parameters
    ----------
    names : mapping
        Column of the file for each of our columns that it has.
    last_day : ndarray of datetime64[D]
        Last day of each contract; NaT where the layout does not have it.
    """
    import pyarrow as pa

    day, expiry = table.days(names["day"]), table.days(names["expiry"])
    table.refuse(expiry < day, names["expiry"], f"{names['day']} or later")
    kinds = table.translated(names["instrument"], {**_FUTURES, **_OPTIONS})
    rights = table.translated(names["right"], _RIGHTS)
    option = np.array(rights.distinct)[rights.codes] != _FUTURE
    ended = last_day <= day
    lots = table.counts(names["lots_traded"])
    settle = table.prices(names["settle"])
    rounded = np.isnan(settle) & table.is_zero(names["settle"]) & (names is _UDIFF) & option
    values: dict[str, np.ndarray | TextColumn] = {
        "day": day,
        "symbol": table.texts(names["symbol"]),
        "kind": kinds,
        "expiry": expiry,
        "last_day": last_day,
        "strike": _strikes(table, names, option),
        "right": rights,
        **_traded_prices(table, names, lots > 0),
        "settle": np.where(ended & option, np.nan, np.where(rounded, 0.0, settle)),
        "final_settlement": np.where(ended, settle, np.nan),
        "lots_traded": lots,
        "open_interest": table.counts(names["open_interest"]),
        "oi_change": table.counts(names["oi_change"], least=None),
        "traded": lots > 0,
    }
    for ours in DATASETS["contracts"].unknown:
        values.setdefault(ours, _optional(table, names, ours))
    schema = DATASETS["contracts"].coded
    arrays = [_array(values[name]).cast(schema.field(name).type) for name in schema.names]
    return ParsedRows(pa.Table.from_arrays(arrays, schema=schema))


def _strikes(table: CsvTable, names: Mapping[str, str], option: np.ndarray) -> np.ndarray:
    """Strikes in rupees, 0 for futures. An option has a right and a strike, a future neither."""
    instruments = table.translated(
        names["instrument"], dict.fromkeys(_FUTURES, "") | dict.fromkeys(_OPTIONS, "option")
    )
    is_option = np.array(instruments.distinct)[instruments.codes] == "option"
    table.refuse(is_option & ~option, names["right"], "CE or PE, as the instrument is an option")
    table.refuse(option & ~is_option, names["right"], "XX or empty, as the instrument is a future")
    strikes = table.prices(names["strike"])
    table.refuse(option & np.isnan(strikes), names["strike"], "the strike of an option")
    return np.where(option, strikes, 0.0)


def _traded_prices(
    table: CsvTable, names: Mapping[str, str], traded: np.ndarray
) -> dict[str, np.ndarray]:
    """Prices of the day, none where nothing traded.

    A future that traded only as a leg of a spread has a close but no open, high or low; the close
    of a future is sometimes theoretical and may lie outside the range.
    """
    prices = {side: table.prices(names[side]) for side in ("open", "high", "low", "close")}
    opens, high, low = prices["open"], prices["high"], prices["low"]
    table.refuse(traded & ((opens > high) | (opens < low)), names["open"], "low <= open <= high")
    return {side: np.where(traded, values, np.nan) for side, values in prices.items()}


def _optional(table: CsvTable, names: Mapping[str, str], ours: str) -> np.ndarray:
    """A column that the old layout lacks."""
    if DATASETS["contracts"].columns[ours] == "price":
        return table.prices(names[ours]) if ours in names else np.full(table.rows, np.nan)
    if ours in names:
        return table.counts(names[ours], least=1)
    return np.zeros(table.rows, dtype=np.int64)


def _array(values: np.ndarray | TextColumn) -> pa.Array:
    import pyarrow as pa

    if isinstance(values, TextColumn):
        return values.coded()
    return paise_array(values) if values.dtype == np.float64 else pa.array(values)
