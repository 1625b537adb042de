"""Tables passed between packages: columns, units and keys, checked where they are handed over.

Prices in frames are rupees as float64 for array maths, NaN when there is none. On disk they
are integer paise (``adapters/parquet``). One row a contract, never a column a leg.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from strikeloom.errors import BadFrame

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Schema:
    """Name, columns with their dtype family, and key of a frame.

    Families: ``text``, ``date`` (datetime64, midnight, naive), ``time`` (datetime64, aware),
    ``price`` (float64 rupees), ``number`` (float64), ``count`` (int64), ``flag`` (bool).
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]

    def table(self, rows: Iterable[Sequence[object]]) -> pd.DataFrame:
        """Frame of rows in the order of the columns; the same types also without rows.

        ``None`` is NaN in a column of numbers.
        """
        import pandas as pd

        frame = pd.DataFrame(list(rows), columns=list(self.columns), dtype=object)
        return frame.astype({name: _DTYPES[family] for name, family in self.columns.items()})

    def check(self, frame: pd.DataFrame, *, where: str) -> pd.DataFrame:
        """Return the frame with exactly the schema's columns, in its order.

        Raises
        ------
        BadFrame
            When a column is missing, a family does not fit or a key repeats.
        """
        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            raise BadFrame(
                f"{where}: table {self.name} lacks column {', '.join(missing)}", columns=missing
            )
        frame = frame[list(self.columns)]
        for name, family in self.columns.items():
            if not _fits(frame[name], family):
                raise BadFrame(
                    f"{where}: column {name} of {self.name} is {frame[name].dtype}, "
                    f"expected {family}",
                    column=name,
                )
        repeated = frame.duplicated(list(self.key))
        if repeated.any():
            first = frame.loc[repeated, list(self.key)].iloc[0].to_dict()
            raise BadFrame(
                f"{where}: {int(repeated.sum())} rows of {self.name} repeat their key, "
                f"first {first}",
                key=first,
            )
        return frame


_DTYPES = {
    "text": "object", "date": "datetime64[s]", "time": "datetime64[us, Asia/Kolkata]",
    "price": "float64", "number": "float64", "count": "int64", "flag": "bool",
}  # fmt: skip


def _fits(column: pd.Series, family: str) -> bool:
    import pandas as pd

    kinds = pd.api.types
    if family == "text":
        return bool(
            kinds.is_string_dtype(column)
            or kinds.is_object_dtype(column)
            or isinstance(column.dtype, pd.CategoricalDtype)
        )
    if family == "date":
        return bool(kinds.is_datetime64_dtype(column))
    if family == "time":
        return isinstance(column.dtype, pd.DatetimeTZDtype)
    if family in {"price", "number"}:
        return bool(kinds.is_float_dtype(column))
    if family == "count":
        return bool(kinds.is_integer_dtype(column))
    return bool(kinds.is_bool_dtype(column))


#: Every F&O contract of one trade date: options (``right`` CE/PE) and futures (``right`` XX,
#: strike 0). Traps of the exchange's files are resolved here, once, at import:
#: ``open..close`` are NaN unless the contract traded that day (``traded``), and ``open..low``
#: of a future that traded only as a leg of spreads; ``settle`` is the exchange's theoretical or
#: settlement price. On a contract's last day ``final_settlement`` is known: the underlying's
#: final value; ``settle`` of an option is then NaN. It is 0 where the exchange rounded it to that.
#: ``expiry`` is the one listed that day and names the contract; it can change while a contract
#: lives (``adapters/instruments/adjustments``).
#: ``last_day`` is when it ends and what its time counts to: the expiry, or earlier when the
#: exchange ends a series for a corporate action (ITC on 2025-01-03, as its files stated on
#: 2025-01-01); NaT where the source lacks it, and then the expiry counts.
#: ``lots_traded`` counts lots; ``open_interest`` and ``oi_change`` count units. ``lot_size`` is
#: 0, ``underlying`` and ``previous_close`` are NaN where the file's layout lacks them;
#: ``previous_close`` is unadjusted. ``instrument_id`` (0 unknown) is reused over time.
CONTRACTS = Schema(
    "contracts",
    {
        "symbol": "text",
        "kind": "text",
        "expiry": "date",
        "last_day": "date",
        "strike": "price",
        "right": "text",
        "instrument_id": "count",
        "lot_size": "count",
        "open": "price",
        "high": "price",
        "low": "price",
        "close": "price",
        "settle": "price",
        "final_settlement": "price",
        "previous_close": "price",
        "underlying": "price",
        "lots_traded": "count",
        "open_interest": "count",
        "oi_change": "count",
        "traded": "flag",
    },
    ("symbol", "expiry", "strike", "right"),
)

#: Cash market, one row a symbol and day; prices as published, unadjusted for splits.
CASH = Schema(
    "cash",
    {
        "day": "date",
        "symbol": "text",
        "open": "price",
        "high": "price",
        "low": "price",
        "close": "price",
        "previous_close": "price",
        "volume": "count",
    },
    ("day", "symbol"),
)

#: Index levels, one row an index, day and publisher. ``index`` is our symbol (NIFTY,
#: BANKNIFTY, INDIAVIX) where we have one, else the exchange's name. ``publisher`` is ``nse``
#: or ``other``; readers prefer ``nse``.
INDICES = Schema(
    "indices",
    {
        "day": "date",
        "index": "text",
        "publisher": "text",
        "open": "price",
        "high": "price",
        "low": "price",
        "close": "price",
    },
    ("day", "index", "publisher"),
)

#: Intraday snapshots of a day: options, futures (``right`` XX, strike 0) and shares (EQ, strike 0,
#: ``expiry`` NaT). Sizes, volume and open interest in units; bid, ask and last
#: NaN when absent. ``spot`` is the underlying's level at that moment.
QUOTES = Schema(
    "quotes",
    {
        "at": "time",
        "symbol": "text",
        "expiry": "date",
        "strike": "price",
        "right": "text",
        "bid": "price",
        "ask": "price",
        "last": "price",
        "bid_size": "count",
        "ask_size": "count",
        "volume": "count",
        "open_interest": "count",
        "spot": "price",
    },
    ("at", "symbol", "expiry", "strike", "right"),
)
