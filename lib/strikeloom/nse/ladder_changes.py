"""Detect splits of contracts without ids, from the strike ladder and the cash market.

The old layout of the exchange's files names a contract by its strike alone. On the day of a
split nearly every contract is one of the day before with its strike divided by the ratio, most
of the old strikes are gone, and the share opens at its close over the ratio. Without cash
prices of both days nothing is detected. Renames, and dividends that lowered strikes, cannot be
detected without ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.nse.corporate_actions import CorporateAction

if TYPE_CHECKING:
    import pandas as pd

_FEWEST = 6  # continuing options; fewer prove nothing
_NEARLY_ALL, _FEW = 0.9, 0.5  # shares of strikes: listed after division; still listed unchanged
_GAP = 0.15  # opening move from which a share is examined; 6:5 is the finest ratio known
_OPENING_MOVE = 0.2  # a split day also has a market move
_TICK = 0.05
#: Ratios tried, the simplest first.
_RATIOS = sorted(
    {Fraction(a, b) for b in range(1, 11) for a in range(b + 1, 21) if Fraction(a, b) >= 1.15},
    key=lambda ratio: (ratio.denominator, ratio.numerator),
)


def ladder_splits(
    before: pd.DataFrame, after: pd.DataFrame, *, day: date, cash: pd.DataFrame
) -> list[CorporateAction]:
    """Splits of stocks whose contracts lack ids on one of the days.

    Parameters
    ----------
    before, after : DataFrame
        ``contract_changes.COLUMNS`` of stocks, of the last stored day before ``day`` and of it.
    cash : DataFrame
        ``CASH`` rows as published, from the one day to the other.

    Returns
    -------
    list of CorporateAction
        Dated by the session whose opening shows the step.
    """
    import pandas as pd

    lives = (before["expiry"] >= pd.Timestamp(day)) & before["final_settlement"].isna()
    old = before[lives & (before["right"] != "XX")]
    new = after[after["right"] != "XX"]
    found: list[CorporateAction] = []
    lacking = _without_ids(old) | _without_ids(new)
    if not lacking:
        return found
    for symbol, bars in _large_drops(cash, lacking):
        steps = bars["close"].to_numpy()[:-1] / bars["open"].to_numpy()[1:]
        place = int(np.nanargmax(steps))
        ours, theirs = (frame[frame["symbol"] == symbol] for frame in (old, new))
        ratio = _ratio(ours, theirs, float(steps[place]))
        if ratio is not None:
            kept = len(_contracts(ours, ratio) & _contracts(theirs, Fraction(1)))
            close, opened = bars["close"].iloc[place], bars["open"].iloc[place + 1]
            seen = (
                f"{kept} of {len(theirs)} contracts are earlier ones with strikes divided by "
                f"{float(ratio):g}, in a layout without ids; cash close {close:.2f} then open "
                f"{opened:.2f}"
            )
            when = bars["day"].iloc[place + 1].date()
            found.append(CorporateAction(str(symbol), when, "split", float(ratio), evidence=seen))
    return found


def _without_ids(options: pd.DataFrame) -> set[str]:
    """Symbols none of whose contracts has an id."""
    has_id = options["instrument_id"].to_numpy() != 0
    if has_id.all():
        return set()
    named = options["symbol"][has_id].unique()
    return set(options["symbol"].unique()) - set(named)


def _large_drops(cash: pd.DataFrame, symbols: set[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Daily bars of each share that opened far below the previous close, by symbol."""
    bars = cash[cash["symbol"].isin(symbols)].sort_values(["symbol", "day"], ignore_index=True)
    closes = bars["close"].shift().where(bars["symbol"] == bars["symbol"].shift())
    fallen = bars["symbol"][closes / bars["open"] >= 1 / (1 - _GAP)].unique()
    for symbol in sorted(fallen):
        yield symbol, bars[bars["symbol"] == symbol]


def _ratio(old: pd.DataFrame, new: pd.DataFrame, step: float) -> Fraction | None:
    """Simplest ratio near the price step that maps the old strike ladder to the new one."""
    listed = _contracts(new, Fraction(1))
    # strikes without open interest are dropped and new ones added: count the shorter ladder
    count = min(len(old), len(new))
    stayed = len(_contracts(old, Fraction(1)) & listed)
    if count < _FEWEST or stayed > _FEW * count:
        return None
    for ratio in _RATIOS:
        near = abs(step / float(ratio) - 1) <= _OPENING_MOVE
        if near and len(_contracts(old, ratio) & listed) >= _NEARLY_ALL * count:
            return ratio
    return None


def _contracts(options: pd.DataFrame, ratio: Fraction) -> set[tuple[object, object, int]]:
    """Expiry, right and strike in ticks, divided by the ratio."""
    ticks = np.rint(options["strike"].to_numpy() / float(ratio) / _TICK).astype(np.int64)
    return set(zip(options["expiry"], options["right"], ticks.tolist(), strict=True))
