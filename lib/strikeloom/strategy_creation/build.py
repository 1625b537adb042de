"""Build every template on every chain: legs on traded strikes, or a rejection reason."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import MarketView
from strikeloom.domain.money import paise
from strikeloom.domain.proposals import StrategyTemplate
from strikeloom.errors import NotBuildable
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import Rejection
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.load import Chain, LoadedChains


@dataclass(frozen=True)
class Structure:
    """A template with its legs chosen; ``thinnest`` is the least volume of a leg, in lots."""

    template: StrategyTemplate
    chain: Chain
    view: MarketView
    legs: tuple[Leg, ...]
    thinnest: int


@dataclass(frozen=True)
class _Strikes:
    """Tradable strikes of one right: rupees, closes, lots, lot sizes; ascending."""

    strike: np.ndarray
    close: np.ndarray
    lots: np.ndarray
    lot_size: np.ndarray


def build(
    desk: Desk, loaded: LoadedChains, views: dict[str, MarketView]
) -> tuple[list[Structure], list[Rejection]]:
    """Structures that fit their view and regime, and a rejection for every other pair."""
    built: list[Structure] = []
    rejected: list[Rejection] = []
    fewest = desk.settings.creation.min_lots_traded
    for symbol, view in views.items():
        chain = loaded.chains[symbol]
        sides = {right: _tradable(chain, right, fewest) for right in Right}
        for template in TEMPLATES.values():
            try:
                _check_fit(template, chain, view)
                built.append(_structure(template, chain, view, sides))
            except NotBuildable as reason:
                rejected.append(Rejection(symbol, template.name, str(reason)))
    return built, rejected


def _check_fit(template: StrategyTemplate, chain: Chain, view: MarketView) -> None:
    if view.outlook not in template.outlooks:
        raise NotBuildable(f"does not suit a {view.outlook} view")
    if chain.rank.regime is not None and chain.rank.regime not in template.regimes:
        raise NotBuildable(f"does not suit {chain.rank.regime} volatility")


def _tradable(chain: Chain, right: Right, fewest: int) -> _Strikes:
    """Options with enough volume that last traded in the closing half hour.

    An older price does not go with prices at the close: together they show profits that were
    never available. The exchange settles an option at its own close unless that is older.
    """
    rows = chain.rows
    fresh = rows["settle"].isna() | (rows["settle"] == rows["close"])
    enough = rows["lots_traded"] >= fewest
    rows = rows[(rows["right"] == right.value) & enough & fresh].sort_values("strike")
    return _Strikes(
        *(rows[name].to_numpy() for name in ("strike", "close", "lots_traded", "lot_size"))
    )


def _structure(
    template: StrategyTemplate, chain: Chain, view: MarketView, sides: dict[Right, _Strikes]
) -> Structure:
    """Choose for each leg the tradable strike nearest to its target; strikes must differ."""
    deviation = chain.atm_iv * np.sqrt(chain.years)
    legs: list[Leg] = []
    lots: list[int] = []
    for wanted in template.legs:
        listed = sides[wanted.right]
        if not len(listed.strike):
            raise NotBuildable(
                f"no {wanted.right.value} with enough volume traded in the closing half hour"
            )
        target = chain.forward * np.exp(wanted.deviations * deviation)
        place = int(np.argmin(np.abs(np.log(listed.strike / target))))
        miss = abs(np.log(listed.strike[place] / target))
        if miss > max(0.6 * deviation, 0.01):
            raise NotBuildable(
                f"no tradable {wanted.right.value} near {target:.2f}, nearest "
                f"{listed.strike[place]:g}"
            )
        if listed.lot_size[place] <= 0:
            raise NotBuildable("the lot size is unknown")
        instrument = _contract(chain, wanted.right, listed, place)
        price = paise(listed.close[place], what=f"close of {instrument.label}")
        legs.append(Leg(instrument, wanted.side, wanted.ratio, price))
        lots.append(int(listed.lots[place]))
    _check_legs(template, legs)
    return Structure(template, chain, view, tuple(legs), min(lots))


def _contract(chain: Chain, right: Right, listed: _Strikes, place: int) -> OptionContract:
    return OptionContract(
        symbol=chain.underlying.symbol,
        expiry=chain.expiry,
        strike=paise(listed.strike[place], what="strike"),
        right=right,
        kind=chain.underlying.kind,
        lot_size=int(listed.lot_size[place]),
        tick=chain.tick,
    )


def _check_legs(template: StrategyTemplate, legs: list[Leg]) -> None:
    """Check that strikes keep the order of their targets, and that bought legs cost money."""
    wanted = np.argsort([leg.deviations for leg in template.legs], kind="stable")
    strikes = [legs[i].instrument.strike for i in wanted]
    if any(low >= high for low, high in pairwise(strikes)):
        raise NotBuildable("too few tradable strikes: two legs would share a strike")
    sizes = {leg.instrument.lot_size for leg in legs}
    if len(sizes) > 1:
        raise NotBuildable(f"legs have different lot sizes {sorted(sizes)}")
    premium = sum(leg.cash for leg in legs)
    bought = sum(1 for leg in legs if leg.side is Side.BUY)
    if bought == len(legs) and premium >= 0:
        raise NotBuildable("bought legs cost nothing: stale prices")
