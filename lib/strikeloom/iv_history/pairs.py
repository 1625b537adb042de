"""By how much a change of the pair of expiries behind the 30-day volatility moved it.

The 30 days are read between two expiries. When another pair takes over, the figure moves although
no option did: on 2024-05-03 NIFTY's pair became 30 May and 6 June, of which the second alone had
the election, and 13.7 % of the former pair were 16.1 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.frames import Schema
from strikeloom.domain.volatility import EXPIRIES
from strikeloom.iv_history.maturity import constant_maturity
from strikeloom.iv_history.series import under_present_names
from strikeloom.nse.renames import names_of
from strikeloom.ports.desk import Desk
from strikeloom.quant.tenors import on_line

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: One row a symbol whose pair changed since the day before; ``moved`` is the part of
#: ``atm_iv_30d`` that is due to it, as a fraction a year, NaN where neither day knows both pairs.
PAIR_CHANGES = Schema(
    "pair_changes",
    {
        "symbol": "text",
        "day": "date",
        "former_early": "date",
        "former_late": "date",
        "early": "date",
        "late": "date",
        "moved": "number",
    },
    ("symbol", "day"),
)
_MONTH = 30.0 / 365.0
_POINT, _SHOWN = 0.01, 5  # least change that is named, as a fraction; symbols named
_USED = ("symbol", "day", "expiry", "years", "term_iv", "quality")


def pair_changes(expiries: pd.DataFrame) -> pd.DataFrame:
    """Days and symbols whose pair of expiries is not that of the day before.

    Parameters
    ----------
    expiries : DataFrame
        ``IV_EXPIRIES`` rows of two days or more; each day is compared with the one before it here.

    Returns
    -------
    DataFrame
        ``PAIR_CHANGES``. The former pair is read on the day itself, on its straight line of total
        variance; where it is no longer known there (it ends), both pairs are read the day before.
    """
    import pandas as pd

    days = np.unique(expiries["day"].to_numpy())
    now = _pairs(expiries)
    place = np.searchsorted(days, now["day"].to_numpy())
    former = now.assign(day=days[np.minimum(place + 1, len(days) - 1)], day_former=now["day"])
    ours = now.merge(former[place < len(days) - 1], on=["symbol", "day"], suffixes=("", "_former"))
    changed = (ours["early"] != ours["early_former"]) | (ours["late"] != ours["late_former"])
    ours = ours[changed].reset_index(drop=True)
    new, old = ("early", "late"), ("early_former", "late_former")
    here, before = (
        _read(expiries, ours, day, new) - _read(expiries, ours, day, old)
        for day in ("day", "day_former")
    )
    changes = {
        "symbol": ours["symbol"],
        "day": ours["day"],
        "former_early": ours["early_former"],
        "former_late": ours["late_former"],
        "early": ours["early"],
        "late": ours["late"],
        "moved": np.where(np.isnan(here), before, here),
    }
    return PAIR_CHANGES.check(pd.DataFrame(changes), where="pairs of expiries")


def latest_pairs(desk: Desk) -> pd.DataFrame:
    """``PAIR_CHANGES`` of the desk's day since the stored day before; empty without one."""
    import pandas as pd

    days = [day for day in sorted(desk.partitions.stamps()) if day <= desk.day][-2:]
    if len(days) < 2 or days[-1] != desk.day:
        return PAIR_CHANGES.table([])
    tables = [desk.partitions.read(day, EXPIRIES) for day in days]
    return pair_changes(under_present_names(desk, pd.concat(tables)))


def moves_of(desk: Desk, symbol: str, days: Sequence[date]) -> dict[date, float]:
    """By how much a change of its pair moved a symbol's 30-day volatility, by day.

    The days of former names are those of the symbol, as in ``series``. Days without a change, and
    the first, are not in it.
    """
    import pandas as pd

    stored = desk.partitions.stamps()
    names = names_of(symbol, desk.history.as_of(desk.day).actions(date.min, desk.day))
    tables = [desk.partitions.read(day, EXPIRIES) for day in sorted(days) if day in stored]
    if not tables:
        return {}
    mine = pd.concat([table[table["symbol"].isin(names)] for table in tables])
    expiries = under_present_names(desk, mine)
    expiries = expiries[expiries["symbol"] == symbol]
    if expiries.empty:  # no option of it was ever listed
        return {}
    changes = pair_changes(expiries)
    when = (stamp.date() for stamp in changes["day"])
    return dict(zip(when, changes["moved"].tolist(), strict=True))


def sentence(changes: pd.DataFrame) -> str:
    """Symbols that a change of their pair moved by a point or more; empty where none was."""
    large = changes[changes["moved"].abs() >= _POINT]
    large = large.reindex(large["moved"].abs().sort_values(ascending=False).index)
    if large.empty:
        return ""
    first = large.head(_SHOWN)
    names = [f"{s} {100 * m:+z.1f}" for s, m in zip(first["symbol"], first["moved"], strict=True)]
    more = f" and {len(large) - _SHOWN} more" if len(large) > _SHOWN else ""
    return (
        "other expiries than the day before lie around 30 days ahead; that alone moved the "
        f"volatility by points: {', '.join(names)}{more}"
    )


def _pairs(expiries: pd.DataFrame) -> pd.DataFrame:
    """Early and late expiry behind each 30-day volatility; the same where it is one."""
    import pandas as pd

    table = expiries[list(_USED)].sort_values(["day", "symbol", "years"])
    keys = pd.MultiIndex.from_frame(table[["day", "symbol"]])
    codes, names = pd.factorize(keys)
    month = constant_maturity(
        table["term_iv"].to_numpy(),
        table["quality"].to_numpy(),
        table["years"].to_numpy(),
        codes.astype(np.int64),
        len(names),
        _MONTH,
    )
    at = np.flatnonzero(month.early >= 0)
    pairs = table.iloc[month.early[at]][["symbol", "day", "expiry"]].reset_index(drop=True)
    late = table["expiry"].to_numpy()[month.late[at]]
    return pairs.rename(columns={"expiry": "early"}).assign(late=late)


def _read(expiries: pd.DataFrame, pairs: pd.DataFrame, day: str, names: tuple[str, str]) -> Floats:
    """30-day volatility on the expiries of two columns, by the volatilities of a column's day."""
    known = expiries[["symbol", "day", "expiry", "years", "term_iv"]]
    ends = [
        pairs[["symbol", day, name]].merge(
            known, how="left", left_on=["symbol", day, name], right_on=["symbol", "day", "expiry"]
        )
        for name in names
    ]
    vol = (ends[0]["term_iv"].to_numpy(), ends[1]["term_iv"].to_numpy())
    years = (ends[0]["years"].to_numpy(), ends[1]["years"].to_numpy())
    return on_line(vol, years, _MONTH)
