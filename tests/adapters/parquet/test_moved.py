"""Searching the stocks that moved finds what searching all contracts finds."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.adapters.parquet.datasets import DATASETS, to_disk
from strikeloom.adapters.parquet.moved import StockContracts, moved
from strikeloom.domain.instruments import InstrumentKind
from strikeloom.nse.contract_changes import COLUMNS, contract_changes

BEFORE, DAY = date(2026, 5, 4), date(2026, 5, 5)
FATES = (
    "stays", "splits", "pays", "renames", "ends", "loses its ids", "one strike", "ids reused",
    "leaves", "expires", "is an index", "was to end",
)  # fmt: skip


def chain(place: int) -> pd.DataFrame:
    """A future and eight options of a share."""
    level = 1000.0 + 100 * place
    strikes = [0.0, *(level + step for step in (-40, -20, 20, 40) for _ in "CP")]
    return pd.DataFrame(
        {
            "symbol": f"SHARE{place}",
            "kind": InstrumentKind.STOCK.value,
            "expiry": pd.Timestamp("2026-05-26"),
            "strike": strikes,
            "right": ["XX", *("CE", "PE") * 4],
            "instrument_id": 100 * place + np.arange(1, len(strikes) + 1),
            "lot_size": 120,
            "final_settlement": np.nan,
            "last_day": pd.Timestamp("2026-05-26"),
            "underlying": level,
        }
    )


def days(place: int, fate: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Contracts of a share before and after what happens to it."""
    old = chain(place)
    new = old.copy()
    option = old["right"] != "XX"
    if fate == "splits":
        new = old.assign(strike=old["strike"] / 5, lot_size=600, underlying=old["underlying"] / 5)
    elif fate == "pays":
        new = old.assign(strike=(old["strike"] - 6.5).where(option, 0.0))
    elif fate == "renames":
        new = old.assign(symbol=f"NEW{place}")
    elif fate == "ends":
        old = old.assign(final_settlement=old["underlying"])
        new = old.assign(final_settlement=np.nan, instrument_id=old["instrument_id"] + 50)
    elif fate == "loses its ids":
        new = old.assign(instrument_id=0, strike=old["strike"] / 2)
    elif fate == "one strike":
        new.loc[3, "strike"] += 5
    elif fate == "ids reused":
        new["instrument_id"] = np.roll(new["instrument_id"], 2)
    elif fate == "leaves":
        new = new[:0]
    elif fate == "expires":
        old = old.assign(expiry=pd.Timestamp(BEFORE), final_settlement=old["underlying"])
    elif fate == "was to end":
        old = old.assign(last_day=pd.Timestamp(BEFORE))
        new = new.assign(instrument_id=new["instrument_id"] + 50)
    elif fate == "is an index":
        old, new = (frame.assign(kind=InstrumentKind.INDEX.value) for frame in (old, new))
        new["strike"] -= 5
    return old, new


def stored(frame: pd.DataFrame) -> StockContracts:
    kind = DATASETS["contracts"]
    known = {"open_interest": 0, "oi_change": 0, "lots_traded": 0, "traded": False}
    empty = dict.fromkeys(("open", "high", "low", "close", "settle", "previous_close"), np.nan)
    when = {"day": pd.Timestamp(DAY)}
    table = to_disk(frame.assign(**known, **empty, **when), kind, source="made").select(COLUMNS)
    coded = {
        name: table[name].dictionary_encode() if kind.columns[name] == "text" else table[name]
        for name in COLUMNS
    }
    return StockContracts.among(pa.table(coded))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(FATES), max_size=5), st.booleans(), st.booleans())
def test_the_same_actions_are_found(fates: list[str], twice: bool, traded: bool) -> None:
    made = [days(place, fate) for place, fate in enumerate(["stays", *fates], start=1)]
    old, new = (pd.concat(frames, ignore_index=True) for frames in zip(*made, strict=True))
    if twice:  # an id that two contracts have
        new = pd.concat([new, new[2:3].assign(symbol="OTHER", strike=7.0)], ignore_index=True)
    cash = pd.DataFrame(
        [
            (pd.Timestamp(day), f"SHARE{place}", level, level)
            for place in range(1, len(made) + 1)
            for day, level in ((BEFORE, 1000.0 + 100 * place), (DAY, (1000.0 + 100 * place) / 2))
        ]
        if traded
        else [],
        columns=["day", "symbol", "open", "close"],
    )
    cash["day"] = pd.to_datetime(cash["day"])
    whole = contract_changes(old, new, day=DAY, day_before=BEFORE, cash=cash)
    reduced = moved(stored(old), stored(new), DAY)
    some = reduced and contract_changes(*reduced, day=DAY, day_before=BEFORE, cash=cash)
    assert (some or []) == whole
    if set(fates) <= {"stays", "is an index", "leaves", "expires"} and not twice:
        assert reduced is None
