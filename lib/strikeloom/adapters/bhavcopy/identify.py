"""Which index a nameless history is: the one whose known levels it repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strikeloom.errors import BadFile, MissingHistory
from strikeloom.ports.history import History

if TYPE_CHECKING:
    import pandas as pd

_FEWEST_DAYS = 5
_TOLERANCE = 0.001
_MOST_LOOKED_AT = 40


def identify(frame: pd.DataFrame, history: History, name: str) -> str:
    """Symbol of the index.

    Its closes must agree within 0.1 % with the levels known from the exchange on five common
    days or more, and with those of one index only.

    Raises
    ------
    BadFile
        When no index or several agree; says how to name it.
    """
    known = _known(frame, history)
    closes = frame.assign(day=frame["day"].dt.date).set_index("day")["close"]
    agreeing = []
    for index, levels in known.groupby("index"):
        common = levels.set_index("day")["close"].to_frame("known").join(closes, how="inner")
        near = (common["close"] / common["known"] - 1).abs() <= _TOLERANCE
        if len(common) >= _FEWEST_DAYS and near.mean() >= 0.9:
            agreeing.append(str(index))
    if len(agreeing) == 1:
        return agreeing[0]
    found = f"several indices agree ({', '.join(agreeing)})" if agreeing else "no index agrees"
    raise BadFile(
        f"{name}: an index history without a name, and {found} with its closes on "
        f"{_FEWEST_DAYS} known days; import files that name it first, or name it with --index"
    )


def _known(frame: pd.DataFrame, history: History) -> pd.DataFrame:
    """Levels of the exchange on the file's days: its index closes, and F&O underlyings."""
    import pandas as pd

    wanted = set(frame["day"].dt.date)
    first, last = min(wanted), max(wanted)
    official = history.indices(first, last)
    official = official[official["publisher"] == "nse"]
    levels = [official.assign(day=official["day"].dt.date)[["day", "index", "close"]]]
    shared = [day for day in history.days() if day in wanted]
    for day in shared[:: max(1, len(shared) // _MOST_LOOKED_AT)]:
        try:
            rows = history.contracts(day)
        except MissingHistory:
            continue
        spots = rows[rows["kind"] == "index"].groupby("symbol")["underlying"].first().dropna()
        levels.append(pd.DataFrame({"day": day, "index": spots.index, "close": spots.to_numpy()}))
    return pd.concat(levels, ignore_index=True).drop_duplicates(["day", "index"])
