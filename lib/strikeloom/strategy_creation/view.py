"""A view of each symbol: direction and volatility, from evidence that votes.

Observations of one topic are much alike, so that each topic counts once in the direction. A
missing observation is absent; a symbol without any on its direction is refused, not neutral.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from strikeloom.domain.market import Evidence, MarketView, Outlook, mean_vote
from strikeloom.domain.outcomes import Outcome, Rule
from strikeloom.errors import DataError
from strikeloom.ports.desk import Desk
from strikeloom.strategy_creation.chain import Chain
from strikeloom.strategy_creation.evidence import (
    Prices,
    day_skew,
    on_direction,
    read_prices,
)
from strikeloom.strategy_creation.index_history import IndexHistory
from strikeloom.strategy_creation.load import LoadedChains
from strikeloom.strategy_creation.refusal import refused_symbol
from strikeloom.strategy_creation.richness import (
    MarketVolatility,
    OwnVolatility,
    on_volatility,
    outlook,
    profile,
)

_YEAR, _WEEK = 252, 5  # sessions
_OWN = ("atm_iv_30d", "term_slope", "rv_yz_10", "rv_yz_60")
_FEWEST_LEVELS = 60  # of the volatility index that make a percentile


class _Day(NamedTuple):
    """What the views of a day are formed from."""

    prices: Prices
    summary: Mapping[str, Mapping[Hashable, float]]
    skew: tuple[float, float]
    market: MarketVolatility


def form_views(
    desk: Desk, loaded: LoadedChains, *, keep: bool = True
) -> tuple[dict[str, MarketView], list[Outcome]]:
    """Views by symbol, and the symbols without any evidence; stored with ``keep``.

    Prices are those known on the day, adjusted for earlier splits.
    """
    settings = desk.settings.creation
    day = _read_day(desk, loaded)
    views: dict[str, MarketView] = {}
    refused: list[Outcome] = []
    for symbol, chain in loaded.chains.items():
        row, own = loaded.bars.place[symbol], day.summary[symbol]
        skew = (own["rr25_30d"], *day.skew)
        evidence = on_direction(chain, day.prices, row, settings.view_days, skew)
        if not evidence:
            reason = "no evidence for a view: neither prices nor open interest"
            refused += refused_symbol(symbol, Rule.EVIDENCE, reason)
            continue
        lately = _own_volatility(own)
        about = on_volatility(chain, lately, day.market)
        views[symbol] = _view(desk, chain, evidence, about, profile(lately))
    if keep:
        desk.store.save_views(views.values())
    return views, refused


def _view(
    desk: Desk, chain: Chain, evidence: Sequence[Evidence], about: list[Evidence], lively: str
) -> MarketView:
    settings = desk.settings.creation
    mean = mean_vote(evidence)
    volatility, richness = outlook(about, settings.volatility_threshold)
    return MarketView(
        chain.underlying.symbol,
        chain.day,
        _outlook(mean, settings.view_threshold),
        abs(mean),
        (*evidence, *about),
        volatility,
        richness,
        lively,
    )


def _outlook(mean: float, threshold: float) -> Outlook:
    if mean > threshold:
        return Outlook.BULLISH
    return Outlook.BEARISH if mean < -threshold else Outlook.NEUTRAL


def _read_day(desk: Desk, loaded: LoadedChains) -> _Day:
    settings = desk.settings.creation
    summary = loaded.summary.set_index("symbol")[[*_OWN, "rr25_30d", "rv_yz_20"]]
    known = loaded.bars.place
    index = next((pair.index for pair in settings.move_indices if pair.index in known), None)
    rows = summary.assign(calmer=summary["rv_yz_20"].rank(pct=True)).to_dict("index")
    return _Day(
        read_prices(loaded.bars, index, _sectors(desk, loaded), settings.view_days),
        {str(name): own for name, own in rows.items()},
        day_skew(summary["rr25_30d"].to_numpy(dtype=np.float64)),
        _market_volatility(loaded.indices),
    )


def _sectors(desk: Desk, loaded: LoadedChains) -> dict[str, str]:
    """Sector of every symbol with bars that has one."""
    found: dict[str, str] = {}
    for symbol in loaded.bars.place:
        try:
            found[symbol] = desk.instruments.underlying(symbol).sector
        except DataError:  # listed after the sector table was written: it has no peers
            continue
    return found


def _own_volatility(own: Mapping[Hashable, float]) -> OwnVolatility:
    return OwnVolatility(*(own[name] for name in (*_OWN, "calmer")))


def _market_volatility(indices: IndexHistory) -> MarketVolatility:
    """The volatility index of the day; NaN where the market has none or it is too short."""
    nothing = float("nan")
    if not len(indices.vol) or np.isnan(indices.vol[-1]):
        return MarketVolatility(nothing, nothing, nothing)
    level, year = indices.vol[-1], indices.vol[-_YEAR:]
    known = year[np.isfinite(year)]
    percentile = 100 * float(np.mean(known < level)) if len(known) >= _FEWEST_LEVELS else nothing
    before = indices.vol[-1 - _WEEK] if len(indices.vol) > _WEEK else nothing
    return MarketVolatility(float(level), percentile, float(np.log(level / before)))
