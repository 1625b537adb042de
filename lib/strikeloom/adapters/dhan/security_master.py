"""Dhan's list of instruments, in either layout, as one table keyed on the contract.

Columns are identified by their header's name, never by their position: the layouts had 16, 31
and 39 columns at different times. Traps resolved here, once: tick sizes are paise except those
of indices; an expiry has a meaningless time; contracts of the exchange's own tests are left
out; a symbol may contain ``-`` and ``&``, so trading symbols are split from the right; ids are
unique only within a segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strikeloom.adapters.dhan.master_layouts import columns, content
from strikeloom.errors import BadFile

if TYPE_CHECKING:
    import pyarrow as pa

#: Exchange and letter -> segment on the wire.
_SEGMENTS = {
    "NSE E": "NSE_EQ",
    "NSE D": "NSE_FNO",
    "NSE C": "NSE_CURRENCY",
    "NSE I": "IDX_I",
    "NSE M": "NSE_COMM",
    "BSE E": "BSE_EQ",
    "BSE D": "BSE_FNO",
    "BSE C": "BSE_CURRENCY",
    "BSE I": "IDX_I",
    "MCX I": "IDX_I",
    "MCX M": "MCX_COMM",
}
_TEST_SYMBOL = "NSETEST"
#: ``-Feb2026-28450-PE``, ``-24Mar2026-108400-CE``, ``-Nov2036-FUT`` at the end of a symbol.
_TAIL = r"-(?:\d{1,2})?[A-Za-z]{3}\d{4}-(?:[\d.]+-(?:CE|PE)|FUT)$"
_OPTION, _NO_STRIKE = ("CE", "PE"), 0
_MOST_UNREAD = 0.01


@dataclass(frozen=True)
class SecurityMaster:
    """The list as a table, and what was left out of it.

    Attributes
    ----------
    table : pyarrow.Table
        ``segment``, ``security_id`` (int64), ``instrument``, ``symbol`` (of the underlying;
        of the instrument itself where it has none), ``expiry`` (date, null for none),
        ``strike`` (paise, 0 for none), ``right`` (CE, PE, XX), ``lot_size`` (units), ``tick``
        (paise, fractions in currencies), ``series``, ``largest_order`` (units, 0 for none
        published: the list prints one more). One row a segment and id.
    layout : str
        ``compact`` or ``detailed``.
    read : int
        Rows of the file.
    tests : int
        Rows of the exchange's own tests, left out.
    unread : tuple of str
        First rows that could not be read, as text; with too many of them the file is refused.
    """

    table: pa.Table
    layout: str
    read: int
    tests: int
    unread: tuple[str, ...]


def read_master(path: Path) -> SecurityMaster:
    """Read a list, plain, gzipped or zipped.

    Raises
    ------
    BadFile
        When the file is not such a list, is cut off, repeats an id within a segment or a contract
        within an exchange, or more than 1 % of its rows cannot be read.
    """
    return parse_master(content(path), str(path))


def parse_master(raw: bytes, where: str) -> SecurityMaster:
    """As ``read_master``, from the bytes of a CSV."""
    return _normalised(*columns(raw, where), where)


def _normalised(raw: pa.Table, layout: str, ragged: list[str], where: str) -> SecurityMaster:
    import pyarrow as pa
    import pyarrow.compute as pc

    count = raw.num_rows
    text = {name: pc.utf8_trim_whitespace(raw[name]).combine_chunks() for name in raw.column_names}
    place = pc.binary_join_element_wise(text["exchange"], text["part"], " ")
    keys = pa.array(list(_SEGMENTS))
    segment = pa.array(list(_SEGMENTS.values())).take(pc.index_in(place, keys))
    right = pc.if_else(pc.is_in(text["right"], pa.array(_OPTION)), text["right"], "XX")
    option = pc.not_equal(right, "XX")
    symbol = pc.replace_substring_regex(text["name"], _TAIL, "") if layout == "compact" else None
    symbol = text["name"] if symbol is None else symbol
    columns = {
        "segment": segment,
        "security_id": _numbers(text["security_id"], pa.int64()),
        "instrument": text["instrument"],
        "symbol": symbol,
        "expiry": _dates(text["expiry"]),
        "strike": _paise(_numbers(text["strike"], pa.float64()), option),
        "right": right,
        "lot_size": pc.cast(
            pc.round(pc.fill_null(_numbers(text["lot_size"], pa.float64()), 0.0)), pa.int64()
        ),
        "tick": _ticks(_numbers(text["tick"], pa.float64()), segment),
        "series": text["series"],
        "largest_order": _largest_orders(_numbers(text["freeze"], pa.float64())),
    }
    table = pa.table(columns)
    tests = pc.match_substring(table["symbol"], _TEST_SYMBOL).combine_chunks()
    good = pc.and_(_readable(table, option), pc.invert(tests))
    unread = ragged + _samples(text, pc.and_(pc.invert(good), pc.invert(tests)))
    lost = len(ragged) + count - int(pc.sum(good).as_py() or 0) - int(pc.sum(tests).as_py() or 0)
    if not count or lost > max(1, count * _MOST_UNREAD):
        raise BadFile(
            f"{where}: {lost} of {count + len(ragged)} rows cannot be read, first: "
            f"{unread[0] if unread else 'there are none'}; fetch the file again",
            path=where,
        )
    table = table.filter(good)
    _unique(table, ["segment", "security_id"], where)
    _unique(
        table.filter(
            pc.and_(
                pc.not_equal(table["right"], "XX"),
                pc.is_in(table["segment"], _array(["NSE_FNO", "BSE_FNO"])),
            )
        ),
        ["segment", "symbol", "expiry", "strike", "right"],
        where,
    )
    return SecurityMaster(table, layout, count + len(ragged), int(pc.sum(tests).as_py() or 0),
                          tuple(unread[:5]))  # fmt: skip


def _numbers(column: pa.Array, kind: Any) -> pa.Array:
    """Numbers of a text column; null where it holds none."""
    import pyarrow.compute as pc

    pattern = r"^-?\d+$" if str(kind) == "int64" else r"^-?\d+(\.\d*)?$"
    return pc.cast(pc.if_else(pc.match_substring_regex(column, pattern), column, None), kind)


def _dates(column: pa.Array) -> pa.Array:
    """Dates of a text column without its time; null for none and for year 1."""
    import pyarrow as pa
    import pyarrow.compute as pc

    day = pc.utf8_slice_codeunits(column, 0, 10)
    known = pc.match_substring_regex(day, r"^(19|20)\d\d-[01]\d-[0-3]\d$")
    return pc.cast(pc.if_else(known, day, None), pa.date32())


def _paise(strike: pa.Array, option: pa.Array) -> pa.Array:
    """Strikes in paise; 0 for what is not an option."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pc.cast(pc.round(pc.multiply(pc.fill_null(strike, 0.0), 100.0)), pa.int64())
    return pc.if_else(option, whole, _NO_STRIKE)


def _ticks(tick: pa.Array, segment: pa.Array) -> pa.Array:
    """Ticks in paise: given so, except for indices; a single one below a paisa is in rupees."""
    import pyarrow.compute as pc

    tick = pc.fill_null(tick, 0.0)
    money = pc.is_in(segment, _array(["NSE_EQ", "NSE_FNO", "BSE_EQ", "BSE_FNO"]))
    rupees = pc.or_(pc.equal(segment, "IDX_I"), pc.and_(money, pc.less(tick, 1.0)))
    rounded = pc.round(pc.multiply(tick, 100.0), ndigits=4)
    return pc.if_else(pc.fill_null(rupees, False), rounded, tick)


def _largest_orders(freeze: pa.Array) -> pa.Array:
    """Largest order in units: one below the first quantity that is frozen."""
    import pyarrow as pa
    import pyarrow.compute as pc

    first = pc.cast(pc.round(pc.fill_null(freeze, 0.0)), pa.int64())
    return pc.max_element_wise(pc.subtract(first, 1), 0)


def _array(values: list[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values)


def _readable(table: pa.Table, option: pa.Array) -> pa.Array:
    """Rows with a segment, an id and a symbol; options with all fields of a contract."""
    import pyarrow.compute as pc

    named = pc.and_(pc.is_valid(table["segment"]), pc.is_valid(table["security_id"]))
    named = pc.and_(named, pc.not_equal(table["symbol"], ""))
    whole = pc.and_(pc.is_valid(table["expiry"]), pc.greater(table["strike"], 0))
    whole = pc.and_(whole, pc.and_(pc.greater(table["lot_size"], 0), pc.greater(table["tick"], 0)))
    good = pc.and_(named, pc.or_(pc.invert(option), whole))
    return pc.fill_null(good, False).combine_chunks()


def _samples(text: dict[str, pa.Array], bad: pa.Array) -> list[str]:
    import pyarrow.compute as pc

    places = pc.indices_nonzero(bad)[:5].to_pylist()
    return [
        f"row {place + 2}: " + ",".join(str(text[name][place]) for name in text) for place in places
    ]


def _unique(table: pa.Table, key: list[str], where: str) -> None:
    import pyarrow.compute as pc

    counted = table.group_by(key).aggregate([([], "count_all")])
    repeated = counted.filter(pc.greater(counted["count_all"], 1))
    if repeated.num_rows:
        first = {name: repeated[name][0].as_py() for name in key}
        raise BadFile(
            f"{where}: {repeated.num_rows} rows repeat {', '.join(key)}, first {first}", path=where
        )
