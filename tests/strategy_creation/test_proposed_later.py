"""What the search returns, of every structure of two expiries, against QuantLib and quadrature.

With one volatility at every strike of an expiry, a later option's worth at the horizon is Black's
price with what the near variance leaves of the later one.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import QuantLib as ql
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.domain.market import MarketView, Outlook
from strikeloom.quant.payoff import profit_at
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.horizon import horizon_legs, structure_columns
from strikeloom.strategy_creation.model_chain import model_structure
from strikeloom.strategy_creation.structure import Structure
from support.picks import built_on, made_desk
from support.worlds import DAY, DAYS, FORWARD, LOT, RATE, SYMBOL, enter, skewed, world

NEAR, FAR = DAYS[0] / 365, DAYS[1] / 365
NEAR_VOL, FAR_VOL = 0.34, 0.28
#: Another truth makes the search take other strikes.
TRUTHS = (0.18, 0.26, 0.42)
#: Rupees that tests of template strikes allow on 100 shares at 100, to the size of this unit.
SIZE = LOT * FORWARD / 10_000
NAMES = [name for name, it in TEMPLATES.items() if model_structure(it).has_later_legs]


@cache
def _found(truth: float) -> dict[str, Structure]:
    """Best of each template, whatever the view."""
    whole = world(
        [skewed(NEAR_VOL, DAYS[0]), skewed(FAR_VOL, DAYS[1])],
        [skewed(truth, DAYS[0]), skewed(truth, DAYS[1])],
    )
    found: dict[str, Structure] = {}
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, whole)
        for outlook in Outlook:
            view = MarketView(SYMBOL, DAY, outlook, 0.1, ())
            for made in built_on(made_desk(), whole.chain, view, "aggressive").structures:
                found[made.template.name] = made
    return found


def _profit(structure: Structure, spot: float) -> float:
    """Profit at the horizon of one unit, rupees: intrinsic values and QuantLib's prices."""
    left, discount = FAR_VOL**2 * FAR - NEAR_VOL**2 * NEAR, float(np.exp(-RATE * (FAR - NEAR)))
    total = 0.0
    for leg in structure.legs:
        it = leg.instrument
        assert isinstance(it, OptionContract)
        call = it.right is Right.CALL
        if it.expiry == structure.horizon.expiry:
            worth = max((1 if call else -1) * (spot - it.strike / 100), 0.0)
        else:
            kind = ql.Option.Call if call else ql.Option.Put
            worth = ql.blackFormula(kind, it.strike / 100, spot, left**0.5, discount)
        total += leg.signed_units * (worth - leg.price / 100)
    return total


def _integral(structure: Structure, vol: float, edges: list[float], *, mean: bool) -> float:
    """Of the density of a volatility between edges: its mass, or the mean profit in it."""
    w, total = vol * vol * NEAR, 0.0
    kinks = [leg.instrument.strike / 100 for leg in structure.legs
             if isinstance(leg.instrument, OptionContract)]  # fmt: skip

    def inside(price: float) -> float:
        density = norm.pdf(np.log(price / FORWARD), -w / 2, w**0.5) / price
        return float(density * (_profit(structure, price) if mean else 1.0))

    for low, high in zip(edges, edges[1:], strict=False):
        if mean or _profit(structure, 0.5 * (low + high)) > 0:
            points = [x for x in {*kinks, FORWARD} if low < x < high]
            total += quad(inside, low, high, points=points or None, limit=200)[0]
    return total


def test_the_search_takes_other_strikes_than_the_templates() -> None:
    taken: dict[str, set[tuple[int, ...]]] = {name: set() for name in NAMES}
    for truth in TRUTHS:
        assert set(NAMES) <= set(_found(truth))
        for name in NAMES:
            legs = _found(truth)[name].legs
            taken[name].add(
                tuple(it.instrument.strike for it in legs
                      if isinstance(it.instrument, OptionContract))
            )  # fmt: skip
    assert sum(len(strikes) > 1 for strikes in taken.values()) >= 0.7 * len(NAMES)


@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize("name", NAMES)
def test_extremes_breakevens_and_probabilities(name: str, truth: float) -> None:
    structure = _found(truth)[name]
    figures = structure.figures
    assert figures is not None
    (risk,) = evaluate([structure], RATE)
    dense = np.linspace(680, 1480, 1601)  # six deviations
    profit = np.array([_profit(structure, float(spot)) for spot in dense])
    legs = horizon_legs(structure_columns([structure]), RATE)
    near = np.linspace(700, 1400, 141)
    expected = [_profit(structure, float(spot)) for spot in near]
    np.testing.assert_allclose(profit_at(near[None, :], legs)[0], expected, atol=SIZE)
    roots = [
        brentq(lambda spot: _profit(structure, spot), dense[at], dense[at + 1])
        for at in np.flatnonzero(profit[:-1] * profit[1:] < 0)
    ]
    np.testing.assert_allclose(risk.breakevens, roots, atol=0.2)
    assert risk.max_profit is not None
    assert risk.max_loss is not None
    for most, least in (
        (risk.max_profit / 100, risk.max_loss / 100),
        (float(figures.max_profit), float(figures.max_loss)),
    ):
        assert most == pytest.approx(profit.max(), abs=3 * SIZE)
        assert least >= -profit.min() - SIZE
    edges = [300.0, *roots, 2500.0]
    for vol, stated in (
        (NEAR_VOL, risk.probability_of_profit),
        (truth, float(figures.chance)),
    ):
        chance = _integral(structure, vol, edges, mean=False)
        assert stated == pytest.approx(chance, abs=0.002), vol


@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize("name", NAMES)
def test_means_are_integrals(name: str, truth: float) -> None:
    """What the horizon brings is discounted to today, what is paid is not."""
    structure = _found(truth)[name]
    figures = structure.figures
    assert figures is not None
    (risk,) = evaluate([structure], RATE)
    paid = sum(leg.cash for leg in structure.legs) / 100
    discount, edges = float(np.exp(-RATE * NEAR)), [300.0, 700.0, 1000.0, 1400.0, 2500.0]
    for vol, stated in (
        (NEAR_VOL, (risk.expected_value + risk.charges) / 100),
        (truth, float(figures.edge + figures.costs)),
    ):
        mean = _integral(structure, vol, edges, mean=True) - paid
        assert stated == pytest.approx(discount * mean + paid, abs=SIZE), vol
