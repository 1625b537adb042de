"""Observations behind a view of direction: trend, strength beside others, options.

Each votes from -1 (falls) to +1 (rises). What cannot be measured is not in the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.market import Evidence, Topic
from strikeloom.quant.relative import excess, range_place, relation
from strikeloom.quant.technicals import directional, momentum, rsi
from strikeloom.strategy_creation.bars import DailyBars, on_days
from strikeloom.strategy_creation.chain import Chain

Floats = NDArray[np.float64]

#: Sessions behind beta, and those of the range that a price is placed in.
RELATION_SESSIONS, RANGE_SESSIONS = 60, 60
_FEWEST_PEERS = 3  # other symbols of a sector that make a mean
_FEWEST_SKEWS = 10  # symbols with a skew that make a median


class Prices(NamedTuple):
    """Latest figures of each symbol from its prices, shape (symbols,); NaN where missing.

    Attributes
    ----------
    beta, deviation : ndarray
        To the market's index, and the daily deviation of the rest.
    beyond_market, beyond_sector : ndarray
        Return beyond beta times the index's, and beyond the mean of the sector's others, in own
        deviations.
    """

    momentum: Floats
    rsi: Floats
    adx: Floats
    up: Floats
    down: Floats
    place: Floats
    beta: Floats
    deviation: Floats
    beyond_market: Floats
    beyond_sector: Floats


def read_prices(
    bars: DailyBars, index: str | None, sectors: Mapping[str, str], days: int
) -> Prices:
    """Figures of every symbol with bars.

    Returns beside the index's are over the index's days: one that it lacks (a Sunday session that
    was published without index levels) is part of the next return on both sides.

    Parameters
    ----------
    index : str or None
        Symbol of the market's index among the bars; ``None`` where there is none.
    sectors : mapping
        Sector by symbol; a symbol without one has no peers.
    days : int
        Sessions of momentum and relative strength.
    """
    trend = directional(bars.high, bars.low, bars.close)
    own = bars.day if index is None else bars.day[bars.place[index]]
    known = bars.day[~np.isnat(bars.day)]
    days_of_all = np.union1d(own[~np.isnat(own)], known.max(initial=np.datetime64(0, "D")))
    returns = np.diff(np.log(on_days(bars, days_of_all)), axis=1)[:, -RELATION_SESSIONS:]
    nothing = np.full(returns.shape[-1], np.nan)
    market = nothing if index is None else returns[bars.place[index]]
    to_market = relation(returns, market)
    peers = _peer_returns(returns, bars.place, sectors)
    to_peers = relation(returns, peers)
    beyond = excess(returns, market, to_market, days)
    if index is not None:
        beyond[bars.place[index]] = np.nan  # nothing is beyond itself
    return Prices(
        momentum(bars.close, days)[:, -1],
        rsi(bars.close)[:, -1],
        trend.adx[:, -1],
        trend.up[:, -1],
        trend.down[:, -1],
        range_place(bars.high, bars.low, bars.close, RANGE_SESSIONS),
        to_market.beta,
        to_market.deviation,
        beyond,
        excess(returns, peers, to_peers._replace(beta=np.ones(len(returns))), days),
    )


def _peer_returns(returns: Floats, place: Mapping[str, int], sectors: Mapping[str, str]) -> Floats:
    """Mean return of the other symbols of each one's sector; NaN with fewer than three."""
    found = np.full(returns.shape, np.nan)
    members: dict[str, list[int]] = {}
    for symbol, row in place.items():
        if sector := sectors.get(symbol):
            members.setdefault(sector, []).append(row)
    for rows in members.values():
        group = returns[rows]
        known = np.isfinite(group)
        others = known.sum(axis=0) - known
        total = np.where(known, group, 0.0)
        rest = total.sum(axis=0) - total
        with np.errstate(invalid="ignore", divide="ignore"):
            found[rows] = np.where(others >= _FEWEST_PEERS, rest / others, np.nan)
    return found


def on_direction(
    chain: Chain, prices: Prices, row: int, days: int, skew: tuple[float, float, float]
) -> list[Evidence]:
    """Evidence on one symbol, finite and with its votes within -1 and +1.

    Parameters
    ----------
    row : int
        Of the symbol in ``prices``.
    skew : tuple of float
        Its call less put volatility at 25 delta, the day's median, and the spread around it.
    """
    own = {name: float(column[row]) for name, column in prices._asdict().items()}
    found = [
        *((Topic.TREND, *item) for item in _trend(own, days)),
        *((Topic.STRENGTH, *item) for item in _strength(own, days, chain.underlying.sector)),
        *((Topic.OPTIONS, *item) for item in _flow(chain)),
        *((Topic.OPTIONS, *item) for item in _skew(*skew)),
    ]
    return finite(found)


def finite(found: Iterable[tuple[Topic, str, float, float]]) -> list[Evidence]:
    """Evidence of what could be measured, votes cut to -1 and +1."""
    return [
        Evidence(name, float(value), float(np.clip(vote, -1, 1)), topic)
        for topic, name, value, vote in found
        if np.isfinite(value) and np.isfinite(vote)
    ]


def day_skew(skews: Floats) -> tuple[float, float]:
    """Median skew of the day's symbols and its scaled median deviation; NaN with too few."""
    known = skews[np.isfinite(skews)]
    if len(known) < _FEWEST_SKEWS:
        return float("nan"), float("nan")
    middle = float(np.median(known))
    return middle, float(1.4826 * np.median(np.abs(known - middle)))


def _trend(own: dict[str, float], days: int) -> Iterator[tuple[str, float, float]]:
    """Name, value and vote of each price indicator."""
    yield f"momentum over {days} days", own["momentum"], own["momentum"] / 2
    yield "relative strength, 14 days", own["rsi"], (own["rsi"] - 50) / 25
    up, down, adx = own["up"], own["down"], own["adx"]
    # above 25 a trend counts as one (Wilder 1978)
    if up + down > 0:
        yield "trend strength (ADX), 14 days", adx, (up - down) / (up + down) * min(adx / 25, 1)
    # nearness to the high predicts a rise (George and Hwang, "The 52-week high and momentum
    # investing", 2004); a shorter range here
    yield f"place in the range of {RANGE_SESSIONS} days", own["place"], 2 * own["place"] - 1


def _strength(own: dict[str, float], days: int, sector: str) -> Iterator[tuple[str, float, float]]:
    # what rose more than its market goes on doing so (Jegadeesh and Titman, 1993)
    market, peers = own["beyond_market"], own["beyond_sector"]
    yield f"return beyond beta {own['beta']:z.2f} over {days} days", market, market / 2
    yield f"return beyond {sector} over {days} days", peers, peers / 2


def _skew(own: float, usual: float, spread: float) -> Iterator[tuple[str, float, float]]:
    """Puts dearer than elsewhere precede low returns (Xing, Zhang and Zhao, 2010)."""
    if spread > 0:
        yield "skew (call less put at 25 delta)", own, (own - usual) / (2 * spread)


def _flow(chain: Chain) -> Iterator[tuple[str, float, float]]:
    """Name, value and vote of open interest and volume in the chain."""
    flow, spot = chain.flow, chain.spot
    if flow.put_call_interest > 0 and flow.usual_interest > 0:
        # puts with large open interest are mostly sold, in the hope of support (NSE practice)
        ratio = flow.put_call_interest / flow.usual_interest
        yield "put-call ratio of open interest, to the day's median", ratio, float(np.log2(ratio))
    if flow.put_call_volume > 0 and flow.usual_volume > 0:
        # puts bought today predict a fall (J. Pan and A. Poteshman, "The information in
        # option volume for future stock prices", 2006)
        ratio = flow.put_call_volume / flow.usual_volume
        yield "put-call ratio of the day's volume, to its median", ratio, -float(np.log2(ratio))
    if flow.put_wall < flow.call_wall:
        share = (spot - flow.put_wall) / (flow.call_wall - flow.put_wall)
        yield "place between put wall and call wall", share, 1 - 2 * share
    deviation = chain.front.deviation
    if flow.max_pain > 0 and deviation > 0:
        # prices are attracted to strikes with large open interest (Ni, Pearson and Poteshman,
        # "Stock price clustering on option expiration dates", 2005)
        yield "max pain", flow.max_pain, float(np.log(flow.max_pain / spot) / deviation)
