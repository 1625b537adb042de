"""Detect corporate actions from the contracts of two successive days.

When a share splits, the exchange keeps each contract's id, divides its strike and multiplies
its lot; for a large dividend it lowers every strike by the amount; at a demerger it ends all
contracts before their expiry; at a rename the contracts continue under another symbol. Ids are
reused for other contracts, so only a change of nearly all contracts of a share counts.
Source: NSE Clearing, adjustment of contracts for corporate actions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.nse.ladder_changes import ladder_splits
from strikeloom.nse.sessions import next_trading_day

if TYPE_CHECKING:
    import pandas as pd

#: Columns of ``CONTRACTS`` that the search reads.
COLUMNS = (
    "symbol", "kind", "expiry", "last_day", "strike", "right", "instrument_id", "lot_size",
    "final_settlement", "underlying",
)  # fmt: skip

_FEWEST = 6  # continuing contracts of a share; fewer prove nothing
_NEARLY_ALL = 0.9
_STEP = 0.0501  # an adjusted strike is rounded to the tick of 5 paise
_PARTS = 20  # 21:20 is the finest ratio searched
_LOT_ROUNDING = 0.02
_OPENING_MOVE = 0.2  # a split day also has a market move


def contract_changes(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    day: date,
    day_before: date,
    cash: pd.DataFrame,
) -> list[CorporateAction]:
    """Actions that took effect after ``day_before``, on ``day`` at the latest.

    Parameters
    ----------
    before, after : DataFrame
        ``COLUMNS`` of ``CONTRACTS``, of the last stored day before ``day`` and of ``day``.
        Rows without an id (old layout) show demergers, and splits by their ladder of strikes.
    cash : DataFrame
        ``CASH`` rows as published, from ``day_before`` to ``day``; may be empty. They confirm a
        ratio (one that they contradict is ``unexplained``), and name the day where sessions lie
        between the two. Without them the underlying's own levels in the contracts are used.

    Returns
    -------
    list of CorporateAction
        Sorted by symbol; ``evidence`` is what was observed.
    """
    import pandas as pd

    before, after = before[before["kind"] == "stock"], after[after["kind"] == "stock"]
    found = _ended(before, day) + ladder_splits(before, after, day=day, cash=cash)
    after = after[after["instrument_id"] != 0]
    lives = (before["expiry"] >= pd.Timestamp(day)) & (before["instrument_id"] != 0)
    options = before[lives & (before["right"] != "XX")]
    same = ["instrument_id", "right", "expiry"]
    pairs = options.merge(after, on=same, suffixes=("_old", "_new"))
    alive = options.groupby("symbol").size()
    unmoved = pairs["strike_old"] == pairs["strike_new"]
    stayed = pairs["symbol_old"] == pairs["symbol_new"]
    for symbol, rows in pairs[stayed & ~unmoved].groupby("symbol_old", sort=True):
        known = int(stayed[pairs["symbol_old"] == symbol].sum())
        if len(rows) >= max(_FEWEST, _NEARLY_ALL * known):
            found.append(_classify(str(symbol), day, rows, known, cash))
    renamed = pairs[~stayed & unmoved].groupby(["symbol_old", "symbol_new"])
    for (former, successor), rows in renamed:
        symbol = str(former)
        if len(rows) >= max(_FEWEST, _NEARLY_ALL * alive[symbol]):
            seen = (
                f"{len(rows)} of {alive[symbol]} contracts continue with their ids as {successor}"
            )
            found.append(
                CorporateAction(symbol, day, "rename", None, str(successor), evidence=seen)
            )
    return [
        replace(item, seen_after=day_before)
        for item in sorted(found, key=lambda item: (item.symbol, item.kind))
    ]


def _ended(before: pd.DataFrame, day: date) -> list[CorporateAction]:
    """Shares all of whose contracts end before their expiry, by the file of the day or earlier.

    The exchange announces it: each contract's last day is stated some days ahead, so the file of
    the last day itself is not needed.
    """
    import pandas as pd

    later = before[before["expiry"] >= pd.Timestamp(day)]
    early = (later["last_day"] < later["expiry"]) & (later["last_day"] < pd.Timestamp(day))
    settled = later["final_settlement"].notna()
    found = {}
    for symbol, row in _nearly_all(early, later["symbol"]).iterrows():
        last = later.loc[early & (later["symbol"] == symbol), "last_day"].max().date()
        seen = f"{row['sum']} of {row['size']} contracts were to end on {last}, before their expiry"
        found[str(symbol)] = (next_trading_day(last), seen)
    for symbol, row in _nearly_all(settled, later["symbol"]).iterrows():
        seen = (
            f"{row['sum']} of {row['size']} contracts ended the day before, ahead of their expiry, "
            "and were listed again"
        )
        found[str(symbol)] = (day, seen)
    return [
        CorporateAction(symbol, min(first, day), "demerger", None, evidence=seen)
        for symbol, (first, seen) in found.items()
    ]


def _nearly_all(gone: pd.Series, symbols: pd.Series) -> pd.DataFrame:
    """Number of contracts gone and listed, of each share of which nearly all are gone."""
    if not gone.any():  # as on nearly every day
        gone, symbols = gone[:0], symbols[:0]
    ended = gone.groupby(symbols).agg(["sum", "size"])
    return ended[(ended["sum"] >= _FEWEST) & (ended["sum"] >= _NEARLY_ALL * ended["size"])]


def _classify(
    symbol: str, day: date, rows: pd.DataFrame, known: int, cash: pd.DataFrame
) -> CorporateAction:
    """Classify the change of a share's strikes."""
    old, new = rows["strike_old"].to_numpy(), rows["strike_new"].to_numpy()
    lots = float(np.median(rows["lot_size_new"] / np.maximum(rows["lot_size_old"], 1)))
    seen = f"{len(rows)} of {known} contracts keep their id"
    ratio = _ratio(old, new)
    if ratio is not None and _multiplied(rows, ratio):
        step = _step(symbol, day, rows, cash, lambda close: close / ratio)
        seen += f", strikes divided by {ratio:g}, lots times {lots:g}; {step.text}"
        if abs(step.before / step.after / ratio - 1) <= _OPENING_MOVE:
            return CorporateAction(symbol, step.day, "split", ratio, evidence=seen)
        seen += ", which does not match the ratio"
    elif abs(lots - 1) < 1e-9 and np.ptp(old - new) <= 2 * _STEP:
        amount = round(float(np.median(old - new)), 2)
        step = _step(symbol, day, rows, cash, lambda close: close - amount)
        seen += f", strikes lowered by {amount:g}; {step.text}"
        if 0 < amount < step.before / 2:
            return CorporateAction(
                symbol, step.day, "dividend", None, amount=amount, reference=step.before,
                evidence=seen,
            )  # fmt: skip
    else:
        seen += f", strikes from {old[0]:g} to {new[0]:g} and the like, lots times {lots:g}"
    return CorporateAction(symbol, day, "unexplained", None, evidence=seen)


def _ratio(old: np.ndarray, new: np.ndarray) -> float | None:
    """Simple ratio that maps every old strike to its new one; ``None`` when there is none."""
    middle = float(np.median(old / new))
    ratio = float(Fraction(middle).limit_denominator(_PARTS))
    fits = ratio > 0 and ratio != 1 and bool((np.abs(old / ratio - new) <= _STEP).all())
    return ratio if fits else None


def _multiplied(rows: pd.DataFrame, ratio: float) -> bool:
    """Whether lots were multiplied by the ratio, to a whole number."""
    expected = rows["lot_size_old"] * ratio
    gap = (rows["lot_size_new"] - expected).abs()
    return bool((gap <= np.maximum(0.5, _LOT_ROUNDING * expected)).all())


@dataclass(frozen=True, slots=True)
class _Step:
    """A day, the last price before it, its first price, and their source as text."""

    day: date
    before: float
    after: float
    text: str


def _step(
    symbol: str,
    day: date,
    rows: pd.DataFrame,
    cash: pd.DataFrame,
    expected: Callable[[np.ndarray], np.ndarray],
) -> _Step:
    """The session whose open is nearest to the value expected from the close before."""
    mine = cash[cash["symbol"] == symbol].sort_values("day")
    if len(mine) >= 2:
        closes, opens = mine["close"].to_numpy()[:-1], mine["open"].to_numpy()[1:]
        place = int(np.argmin(np.abs(opens - expected(closes)) / closes))
        before, after = float(closes[place]), float(opens[place])
        found = mine["day"].iloc[place + 1].date()
        return _Step(found, before, after, f"cash close {before:.2f} then open {after:.2f}")
    before, after = float(rows["underlying_old"].iloc[0]), float(rows["underlying_new"].iloc[0])
    return _Step(day, before, after, f"underlying {before:.2f} then {after:.2f}")
