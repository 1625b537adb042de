"""Find overnight price steps that may be no move of the market, from cash prices.

A demerger, a rights issue or a preference bonus lowers the price of a share overnight. Where the
contracts of both days are stored, they show most of these (``nse/contract_changes``). This search
is for the others: a step that the market does not share, larger than the symbol's own history
supports, and never traded back. Two things distinguish it from news: the share's future, which
moves with news; and, where no future of both days is stored, the value traded. Of 37 such falls
of F&O stocks from December 2024 to March 2026, news traded at 3.5 times the usual value or more,
but for one (2.97); a demerger at 2.7. A person decides (``strikeloom data step``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from strikeloom.nse.adjusted import adjusted_prices
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.nse.edges import known_days

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: Log step of a share's future between two sessions; ``None`` when none is stored for both.
FutureStep = Callable[[str, date, date], float | None]

_SESSIONS, _FEWEST = 60, 20  # of a symbol's own history
_USUAL = 20  # sessions of the usual value traded
_MARKET = 20  # shares whose median is the market's step
_SIGMAS = 5.0  # overnight, and from close to close
_CALM = 3.0  # news trades more than so many times the usual value
_LARGE = 0.15  # no step of this size was news, whatever its volume, unless it was traded back
_SHARED = 1 / 3  # of the step that a future may miss
_BASE = 0.005  # the published previous close is that of the session before


class _Night(NamedTuple):
    """A night of one share: its sessions, prices, steps in logs, and value traded over usual.

    ``before`` is ``None`` where the session before is not stored; the published previous close is.
    """

    symbol: str
    before: date | None
    day: date
    base: float
    opened: float
    excess: float
    step: float
    large: bool
    rebased: bool
    value: float


def unconfirmed_steps(
    cash: pd.DataFrame, actions: Iterable[CorporateAction], future: FutureStep
) -> list[CorporateAction]:
    """Steps to ask about, of kind ``asked``, by day and symbol.

    Parameters
    ----------
    cash : DataFrame
        ``CASH`` rows as published, of shares on which options are listed.
    actions : iterable of CorporateAction
        Known ones: their steps are explained.
    future : FutureStep

    Notes
    -----
    A night is judged by earlier sessions alone; later files do not change it.
    """
    known = [item for item in actions if not item.successor]
    found = []
    for night in _nights(cash, known):
        moved = future(night.symbol, night.before, night.day) if night.before else None
        if moved is None:
            calm = night.large or night.rebased or night.value < _CALM
            why = f"at {night.value:.1f} times the usual value traded, no future stored"
        else:
            calm = abs(night.step - moved) > _SHARED * abs(night.excess)
            both = [f"{np.expm1(step):+.1%}" for step in (moved, night.step)]
            why = f"the future moved by {both[0]}, the share by {both[1]}"
        if night.rebased:
            why = f"its published previous close is not that of the session before; {why}"
        if calm:
            seen = f"last close {night.base:.2f}, open {night.opened:.2f}, {why}"
            found.append(
                CorporateAction(
                    night.symbol, night.day, "asked", None, reference=night.base, evidence=seen
                )
            )
    return sorted(found, key=lambda item: (item.day, item.symbol))


def _nights(cash: pd.DataFrame, known: list[CorporateAction]) -> Iterator[_Night]:
    """Nights beyond a symbol's own history that no known action explains."""
    import pandas as pd

    frame = adjusted_prices(cash, known).sort_values(["symbol", "day"], ignore_index=True)
    sessions, place = np.unique(frame["day"].to_numpy(), return_inverse=True)
    follows = _follows(sessions)
    same = (frame["symbol"] == frame["symbol"].shift()).to_numpy()
    last = frame["close"].shift().to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        base = np.where(frame["previous_close"] > 0, frame["previous_close"], last)
        base = np.where(same & (np.diff(place, prepend=-2) == 1), base, np.nan)
        opened = np.log(frame["open"].to_numpy() / base)
        closed = np.log(frame["close"].to_numpy() / base)
        rebased = follows[place] & (np.abs(base / last - 1) > _BASE)
    explained = {(item.symbol, np.datetime64(item.day, "D")) for item in known}
    keys = zip(frame["symbol"], frame["day"].to_numpy().astype("datetime64[D]"), strict=True)
    named = np.array([key in explained for key in keys], dtype=bool)
    opened[named] = closed[named] = np.nan
    rebased &= ~named
    days = pd.Series(place)
    enough = pd.Series(opened).groupby(days).transform("count") >= _MARKET
    market = [
        pd.Series(steps).groupby(days).transform("median").where(enough, 0.0).to_numpy()
        for steps in (opened, closed)
    ]
    value = (frame["volume"] * frame["close"]).to_numpy(dtype=np.float64)
    high, low, first = (frame[side].to_numpy() for side in ("high", "low", "open"))
    for symbol, rows in frame.groupby("symbol", sort=True).indices.items():
        beta = _beta(closed[rows], market[1][rows])
        night = opened[rows] - beta * market[0][rows]
        whole = closed[rows] - beta * market[1][rows]
        fair = base[rows] * np.exp(beta * market[0][rows])
        with np.errstate(divide="ignore", invalid="ignore"):
            unusual = np.minimum(-night / _usual_size(night), -whole / _usual_size(whole))
            traded = value[rows] / _usual_value(value[rows])
        away = np.where(night < 0, high[rows] < fair, low[rows] > fair)
        large = np.abs(night) > _LARGE
        for at in np.flatnonzero(away & (large | (unusual > _SIGMAS)) | rebased[rows]).tolist():
            row = int(rows[at])
            before, day = (sessions[place[row] + back].astype("datetime64[D]") for back in (-1, 0))
            known_before = before.item() if follows[place[row]] else None
            yield _Night(
                str(symbol), known_before, day.item(), base[row], first[row], whole[at],
                closed[row], bool(large[at]), bool(rebased[row]), float(traded[at]),
            )  # fmt: skip


def _follows(sessions: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Whether each session's predecessor among them is the exchange's: no file is missing."""
    days = sessions.astype("datetime64[D]")
    if not len(days):
        return np.zeros(0, dtype=bool)
    listed = np.array(known_days(days[0].item(), days[-1].item()), dtype="datetime64[D]")
    place = np.searchsorted(np.union1d(listed, days), days)
    return np.asarray(np.diff(place, prepend=-2) == 1)


def _before(values: Floats, width: int) -> Floats:
    """The ``width`` values before each, shape (n, width); NaN before the first."""
    padded = np.concatenate([np.full(width, np.nan), values[:-1]])
    return sliding_window_view(padded, width)


def _usual_size(steps: Floats) -> Floats:
    """Root mean square of a symbol's earlier steps, without the largest; NaN with too few."""
    squares = _before(steps, _SESSIONS) ** 2
    known = np.isfinite(squares)
    squares = np.where(known, squares, 0.0)
    count = known.sum(axis=1)
    rest = squares.sum(axis=1) - squares.max(axis=1)
    return np.where(count >= _FEWEST, np.sqrt(rest / np.maximum(count - 1, 1)), np.nan)


def _usual_value(value: Floats) -> Floats:
    """Median value traded of the sessions before; NaN where most are missing."""
    ordered = np.sort(_before(value, _USUAL), axis=1)  # NaN last
    count = np.isfinite(ordered).sum(axis=1)
    middle = ordered[np.arange(len(value)), np.maximum(count - 1, 0) // 2]
    return np.where(count > _USUAL // 2, middle, np.nan)


def _beta(steps: Floats, market: Floats) -> Floats:
    """Slope of a symbol's earlier steps over the market's, 1 (in a fall all fall) to 3."""
    mine, theirs = _before(steps, _SESSIONS), _before(market, _SESSIONS)
    known = np.isfinite(mine)
    shared = np.where(known, mine * theirs, 0.0).sum(axis=1)
    spread = np.where(known, theirs * theirs, 0.0).sum(axis=1)
    usable = (known.sum(axis=1) >= _FEWEST) & (spread > 0)
    return np.where(usable, np.clip(shared / np.where(usable, spread, 1.0), 1.0, 3.0), 1.0)
