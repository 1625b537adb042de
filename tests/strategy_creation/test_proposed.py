"""What the search returns, of every structure of one expiry, against integrals by quadrature."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import QuantLib as ql
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from strikeloom.domain.instruments import OptionContract, Right, Share
from strikeloom.domain.market import MarketView, Outlook
from strikeloom.quant.smile.curves import volatility
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.structure import Structure
from support.picks import built_on, made_desk
from support.worlds import DAY, DAYS, FORWARD, RATE, SYMBOL, enter, skewed, world

TRUTH = 0.25
YEARS = DAYS[0] / 365
SMILE = skewed(0.30, DAYS[0], puts=0.6, calls=0.15)


@cache
def _found() -> dict[str, Structure]:
    """Best of each template that has one, whatever the view."""
    whole = world(
        [SMILE, skewed(0.28, DAYS[1], puts=0.5)],
        [skewed(TRUTH, DAYS[0]), skewed(TRUTH, DAYS[1])],
    )
    found: dict[str, Structure] = {}
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, whole)
        for outlook in Outlook:
            view = MarketView(SYMBOL, DAY, outlook, 0.1, ())
            for made in built_on(made_desk(), whole.chain, view, "aggressive").structures:
                found[made.template.name] = made
    return found


def _profit(structure: Structure, price: float) -> float:
    """Payoff at expiry less what was paid, leg by leg, rupees."""
    total = 0.0
    for leg in structure.legs:
        it = leg.instrument
        worth = price
        if isinstance(it, OptionContract):
            sign = 1 if it.right is Right.CALL else -1
            worth = max(sign * (price - it.strike / 100), 0.0)
        else:
            assert isinstance(it, Share)
        total += leg.signed_units * (worth - leg.price / 100)
    return total


def _smile_density(price: float) -> float:
    """Second difference of QuantLib's prices by strike (D. Breeden and R. Litzenberger, 1978)."""

    def call(strike: float) -> float:
        vol = float(volatility(SMILE, np.log([strike / FORWARD]), YEARS)[0])
        return float(ql.blackFormula(ql.Option.Call, strike, FORWARD, vol * YEARS**0.5))

    step = 0.5
    return (call(price + step) - 2 * call(price) + call(price - step)) / step**2


def _true_density(price: float) -> float:
    deviation = TRUTH * YEARS**0.5
    return float(
        norm.pdf(np.log(price / FORWARD), -(deviation**2) / 2, deviation) / price
    )  # fmt: skip


def test_every_structure_is_found() -> None:
    assert set(_found()) == set(TEMPLATES)


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_extremes_breakevens_and_probabilities(name: str) -> None:
    structure = _found()[name]
    if structure.has_later_legs:
        return  # test_proposed_later has them, against QuantLib
    (risk,) = evaluate([structure], RATE)
    figures = structure.figures
    assert figures is not None
    # straight between strikes: extremes are at them, at 0, or far above
    strikes = [leg.instrument.strike / 100 for leg in structure.legs
               if isinstance(leg.instrument, OptionContract)]  # fmt: skip
    ends = np.array([_profit(structure, x) for x in (0.0, *strikes, 2500.0)])
    # of a share, the search has the price before it is rounded to paise
    off = 0.005 * 500 if structure.template.has_underlying else 0.01
    spots = np.arange(0.37, 2500.5, 2.5)
    profit = np.array([_profit(structure, float(spot)) for spot in spots])
    grows, falls = profit[-1] > profit[-2] + 1e-6, profit[-1] < profit[-2] - 1e-6
    assert (risk.max_profit is None) == np.isinf(figures.max_profit) == grows
    assert (risk.max_loss is None) == np.isinf(figures.max_loss) == falls
    if risk.max_profit is not None:
        assert risk.max_profit / 100 == pytest.approx(ends.max(), abs=0.01)
        assert figures.max_profit == pytest.approx(ends.max(), abs=off)
    if risk.max_loss is not None:
        assert risk.max_loss / 100 == pytest.approx(max(0.0, -ends.min()), abs=0.01)
        assert max(0.0, figures.max_loss) == pytest.approx(max(0.0, -ends.min()), abs=off)
    roots = [
        brentq(lambda spot: _profit(structure, spot), spots[at], spots[at + 1])
        for at in np.flatnonzero(profit[:-1] * profit[1:] < -1e-9)
    ]
    np.testing.assert_allclose(risk.breakevens, roots, atol=0.006)
    edges = [500.0, *[x for x in roots if 500 < x < 1600], 1600.0]
    for density, stated in (
        (_smile_density, risk.probability_of_profit),
        (_true_density, float(figures.chance)),
    ):
        chance = 0.0
        for low, high in zip(edges, edges[1:], strict=False):
            if _profit(structure, 0.5 * (low + high)) > 0:
                points = [x for x in (850, 950, 1000, 1050, 1150) if low < x < high]
                chance += quad(density, low, high, points=points or None, limit=200)[0]
        assert stated == pytest.approx(chance, abs=0.005), density


def test_expected_values_under_the_truth_are_integrals() -> None:
    """After the costs of a round trip, at today's money, of one unit."""
    for name in ("iron_condor", "long_straddle", "put_ratio_spread", "covered_call"):
        structure = _found()[name]
        figures = structure.figures
        assert figures is not None
        kinks = [
            leg.instrument.strike / 100
            for leg in structure.legs
            if isinstance(leg.instrument, OptionContract)
        ]
        paid = -sum(leg.signed_units * leg.price / 100 for leg in structure.legs)
        worth = quad(
            lambda price, it=structure, cash=paid: (_profit(it, price) - cash)
            * _true_density(price),
            500, 1600, points=kinks, limit=400,
        )[0]  # fmt: skip
        mean = np.exp(-RATE * YEARS) * worth + paid
        assert figures.edge + figures.costs == pytest.approx(mean, abs=5), name


def test_legs_are_at_the_closes_of_the_chain() -> None:
    for structure in _found().values():
        for leg in structure.legs:
            it = leg.instrument
            if isinstance(it, OptionContract):
                rows = structure.chain.by_date[it.expiry].rows
                at = (rows["strike"] == it.strike / 100) & (rows["right"] == it.right.value)
                (close,) = rows.loc[at, "close"]
                assert leg.price == round(close * 100)
