"""Outcomes and fronts of creation runs in the store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from strikeloom.adapters.sqlite.rows import day as to_day
from strikeloom.adapters.sqlite.rows import insert, instrument_columns
from strikeloom.domain.fronts import FrontRow
from strikeloom.domain.instruments import InstrumentKind, instrument_of
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.outcomes import Ending, Outcome, Rule

_OUTCOME = (
    "symbol", "template", "ending", "rule", "reason", "value", "threshold", "remedy", "beaten_by",
    "legs", "expected_value", "error", "funds", "score", "failed",
)  # fmt: skip
_FRONT = (
    "symbol", "template", "legs", "horizon", "expected_value", "error", "tail_mean", "probability",
    "costs", "margin", "margin_after",
)  # fmt: skip

#: Columns that are read, in the order of the records' fields.
OUTCOME_COLUMNS, FRONT_COLUMNS = ", ".join(_OUTCOME), ", ".join(_FRONT)


def insert_outcomes(
    db: sqlite3.Connection, key: Mapping[str, str], rows: Sequence[Outcome]
) -> None:
    """Store the outcomes of a run; ``key`` has market, account and run."""
    values = [{**key, **_flat(row), "legs": _written(row.legs)} for row in rows]
    if values:
        db.executemany(insert("outcomes", values[0], conflict="ON CONFLICT DO NOTHING"), values)


def insert_fronts(db: sqlite3.Connection, key: Mapping[str, str], rows: Sequence[FrontRow]) -> None:
    """Store the fronts of a run, each symbol's rows in their order."""
    places: dict[str, int] = {}
    values = []
    for row in rows:
        place = places[row.symbol] = places.get(row.symbol, -1) + 1
        values.append(
            {
                **key,
                **_flat(row),
                "legs": _written(row.legs),
                "horizon": row.horizon.isoformat(),
                "place": place,
            }
        )
    if values:
        db.executemany(insert("fronts", values[0], conflict="ON CONFLICT DO NOTHING"), values)


def read_outcome(row: sqlite3.Row) -> Outcome:
    """Outcome of a row of ``OUTCOME_COLUMNS``."""
    fields = dict(row)
    return Outcome(
        **{
            **fields,
            "ending": Ending(fields["ending"]),
            "rule": Rule(fields["rule"]),
            "legs": _read(fields["legs"]),
        }
    )


def read_front(row: sqlite3.Row) -> FrontRow:
    """Front row of a row of ``FRONT_COLUMNS``."""
    fields = dict(row)
    return FrontRow(
        **{**fields, "legs": _read(fields["legs"]), "horizon": to_day(fields["horizon"])}
    )


def _flat(row: Outcome | FrontRow) -> dict[str, Any]:
    names = _OUTCOME if isinstance(row, Outcome) else _FRONT
    return {name: getattr(row, name) for name in names}


def _written(legs: Sequence[Leg]) -> str:
    """Compact, as a run has thousands: contract, kind, lot size, tick, side, lots, price."""
    rows = [
        [*instrument_columns(leg.instrument).values(), int(leg.side), leg.lots, leg.price]
        for leg in legs
    ]
    return json.dumps(rows, separators=(",", ":"))


def _read(text: str) -> tuple[Leg, ...]:
    return tuple(
        Leg(instrument_of(contract, InstrumentKind(kind), size, tick), Side(side), lots, price)
        for contract, kind, size, tick, side, lots, price in json.loads(text)
    )
