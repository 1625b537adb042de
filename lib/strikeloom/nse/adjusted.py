"""Frames of earlier days adjusted to a later day: its shares, strikes and symbols.

A split or bonus divides prices and strikes and multiplies quantities; a dividend that the
exchange lowered strikes for lowers strikes by its amount and scales prices by what is left; a
rename carries the new symbol back. A demerger has no ratio: nothing is changed, and a
comparison across it must be flagged (``CorporateAction.breaks``). What a person stated about a
step adjusts prices alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.nse.corporate_actions import CorporateAction

if TYPE_CHECKING:
    import pandas as pd

_SIDES = ("open", "high", "low", "close")
_TICK = 0.05


def adjusted_prices(frame: pd.DataFrame, actions: Iterable[CorporateAction]) -> pd.DataFrame:
    """Daily prices adjusted for the given actions.

    Parameters
    ----------
    frame : DataFrame
        ``symbol``, ``day`` and any of ``open``, ``high``, ``low``, ``close``,
        ``previous_close`` (rupees), ``volume`` (shares).
    actions : iterable of CorporateAction
        In force on the day to adjust to; none later.

    Returns
    -------
    DataFrame
        A new frame, rows in the order given. ``previous_close`` of an action's own day, which
        the exchange publishes unadjusted, is adjusted too.
    """
    import pandas as pd

    columns = [name for name in (*_SIDES, "previous_close") if name in frame]
    values = {name: frame[name].to_numpy(dtype=np.float64, copy=True) for name in columns}
    shares = frame["volume"].to_numpy(copy=True) if "volume" in frame else None
    days = frame["day"].to_numpy()
    # compared as numbers: there are many more rows than symbols
    codes, known = pd.factorize(frame["symbol"])
    names = list(known)
    for item in sorted(actions, key=lambda action: (action.day, not action.successor)):
        if item.symbol not in names:
            continue
        mine, effective = codes == names.index(item.symbol), np.datetime64(item.day)
        earlier = mine & (days < effective)
        if item.successor:
            if item.successor not in names:
                names.append(item.successor)
            codes = np.where(earlier, names.index(item.successor), codes)
            continue
        for name in columns:
            # a previous close is one of the day before, on the action's own day too
            rows = mine & (days <= effective) if name == "previous_close" else earlier
            values[name][rows] /= item.divisor
        if shares is not None and item.ratio:
            shares[earlier] = np.rint(shares[earlier] * item.ratio)
    renamed = np.array(names, dtype=object)[codes] if names else frame["symbol"]
    changed = {"symbol": renamed, **values} | ({} if shares is None else {"volume": shares})
    return frame.assign(**changed)


def adjusted_contracts(frame: pd.DataFrame, actions: Iterable[CorporateAction]) -> pd.DataFrame:
    """Contracts of one day adjusted for the given actions.

    Parameters
    ----------
    frame : DataFrame
        ``CONTRACTS`` of a day before all of the actions.
    actions : iterable of CorporateAction
        After that day and in force on the day to adjust to.

    Returns
    -------
    DataFrame
        Sorted as the frame. ``lots_traded`` stays: lots are still lots.
    """
    out = frame.copy()
    changes = (item for item in actions if item.of_contracts)
    for item in sorted(changes, key=lambda action: (action.day, not action.successor)):
        mine = out["symbol"] == item.symbol
        if not mine.any():
            continue
        if item.successor:
            out.loc[mine, "symbol"] = item.successor
        elif item.ratio:
            _divide(out, mine, item.ratio)
        elif item.amount:
            _lower(out, mine, item.amount)
    return out


def _divide(out: pd.DataFrame, mine: pd.Series, ratio: float) -> None:
    option = mine & (out["right"] != "XX")
    out.loc[option, "strike"] = _to_tick(out.loc[option, "strike"] / ratio)
    for name in (*_SIDES, "settle", "final_settlement", "previous_close", "underlying"):
        out.loc[mine, name] /= ratio
    for name in ("lot_size", "open_interest", "oi_change"):
        out.loc[mine, name] = np.rint(out.loc[mine, name] * ratio).astype(np.int64)


def _lower(out: pd.DataFrame, mine: pd.Series, amount: float) -> None:
    """Lower strikes; option premiums stay, because strike and share fall together."""
    option = mine & (out["right"] != "XX")
    out.loc[option, "strike"] = _to_tick(out.loc[option, "strike"] - amount)
    for name in ("underlying", "final_settlement"):
        out.loc[mine, name] -= amount
    for name in (*_SIDES, "settle", "previous_close"):
        out.loc[mine & ~option, name] -= amount


def _to_tick(strikes: pd.Series) -> pd.Series:
    return (strikes / _TICK).round().mul(_TICK).round(2)
