"""Structures of two expiries and with the underlying, against QuantLib and closed forms.

With one volatility at every strike, a later option's worth at the horizon is Black's price with
what the near variance leaves of the later one. Its mean over the lognormal price there is Black's
price today (the tower property), so no calendar earns anything at the model's prices.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import QuantLib as ql
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from strikeloom.domain.instruments import (
    FutureContract,
    InstrumentKind,
    OptionContract,
    Right,
    Underlying,
)
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.selectors import MONTHLY
from strikeloom.quant.payoff import profit_at
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.fit import SmileKind
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.chain import Chain, ChainExpiry, Smile, UnderlyingQuote
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.horizon import horizon_legs, structure_columns
from strikeloom.strategy_creation.model_chain import model_chain, model_structure
from strikeloom.strategy_creation.structure import Structure

RATE = 0.065
NEAR, FAR = 21 / 365, 56 / 365
NEAR_VOL, FAR_VOL = 0.34, 0.28
NEAR_FORWARD, FAR_FORWARD = 100.4, 100.9
LOT = 100
NAMES = [
    name
    for name, template in TEMPLATES.items()
    if len({leg.expiry for leg in template.legs}) > 1 and not template.has_underlying
]


def _expiry(known: ChainExpiry, years: float, vol: float, forward: float) -> ChainExpiry:
    smile = Smile(Curves.flat([vol * vol * years]), SmileKind.FULL, 9, 0.0)
    return replace(
        known, years=years, calendar=years, atm_iv=vol, forward=forward, smile=smile
    )  # fmt: skip


def _chain() -> Chain:
    chain = model_chain()
    front, later = chain.expiries
    return replace(
        chain,
        expiries=(
            _expiry(front, NEAR, NEAR_VOL, NEAR_FORWARD),
            _expiry(later, FAR, FAR_VOL, FAR_FORWARD),
        ),
    )


def _structure(name: str) -> Structure:
    return replace(model_structure(TEMPLATES[name]), chain=_chain())


def _black(right: Right, strike: float, forward: float, variance: float, discount: float) -> float:
    kind = ql.Option.Call if right is Right.CALL else ql.Option.Put
    return ql.blackFormula(kind, strike, forward, variance**0.5, discount)


def _profit(structure: Structure, spot: float) -> float:
    """Profit at the horizon in rupees: intrinsic values and QuantLib's prices."""
    total = sum(leg.cash for leg in structure.legs) / 100
    left, discount = FAR_VOL**2 * FAR - NEAR_VOL**2 * NEAR, float(np.exp(-RATE * (FAR - NEAR)))
    for leg in structure.legs:
        it = leg.instrument
        assert isinstance(it, OptionContract)
        strike = it.strike / 100
        if it.expiry == structure.horizon.expiry:
            sign = 1 if it.right is Right.CALL else -1
            worth = max(sign * (spot - strike), 0.0)
        else:
            forward = spot * FAR_FORWARD / NEAR_FORWARD
            worth = _black(it.right, strike, forward, left, discount)
        total += leg.signed_units * worth
    return total


def _density(spot: float) -> float:
    w = NEAR_VOL**2 * NEAR
    return float(norm.pdf(np.log(spot / NEAR_FORWARD), -w / 2, w**0.5) / spot)


@pytest.mark.parametrize("name", NAMES)
def test_the_worth_at_the_horizon_is_quantlibs(name: str) -> None:
    structure = _structure(name)
    legs = horizon_legs(structure_columns([structure]), RATE)
    spots = np.linspace(70, 140, 141)
    expected = [_profit(structure, float(spot)) for spot in spots]
    # straight lines of a twentieth of a deviation: a rupee of ten thousand
    np.testing.assert_allclose(profit_at(spots[None, :], legs)[0], expected, atol=1.0)


@pytest.mark.parametrize("name", NAMES)
def test_figures_of_two_expiries_agree_with_closed_forms(name: str) -> None:
    structure = _structure(name)
    (risk,) = evaluate([structure], RATE)
    paid = sum(leg.cash for leg in structure.legs) / 100
    mean = 0.0
    for leg in structure.legs:
        it = leg.instrument
        assert isinstance(it, OptionContract)
        near = it.expiry == structure.horizon.expiry
        whole = NEAR_VOL**2 * NEAR if near else FAR_VOL**2 * FAR
        forward = NEAR_FORWARD if near else FAR_FORWARD
        discount = float(np.exp(-RATE * (NEAR if near else FAR)))
        mean += leg.signed_units * _black(it.right, it.strike / 100, forward, whole, discount)
    found = (risk.expected_value + risk.charges) / 100
    assert found == pytest.approx(paid + mean, abs=1.0)
    dense = np.linspace(60, 160, 2001)
    profit = np.array([_profit(structure, float(spot)) for spot in dense])
    roots = [
        brentq(lambda spot: _profit(structure, spot), dense[at], dense[at + 1])
        for at in np.flatnonzero(np.diff(np.sign(profit)))
    ]
    np.testing.assert_allclose(risk.breakevens, roots, atol=0.02)
    chance = sum(
        quad(_density, low, high, limit=200)[0]
        for low, high in zip([1.0, *roots], [*roots, 500.0], strict=True)
        if _profit(structure, 0.5 * (low + min(high, 160.0))) > 0
    )
    assert risk.probability_of_profit == pytest.approx(chance, abs=0.002)
    assert risk.max_profit / 100 == pytest.approx(profit.max(), abs=3.0)
    assert risk.max_loss / 100 >= -profit.min() - 1.0


def test_a_later_leg_has_the_greeks_of_its_own_expiry() -> None:
    structure = _structure("call_calendar")
    (risk,) = evaluate([structure], RATE)
    strike = structure.legs[0].instrument.strike / 100
    both = []
    for years, vol, forward in ((NEAR, NEAR_VOL, NEAR_FORWARD), (FAR, FAR_VOL, FAR_FORWARD)):
        payoff = ql.PlainVanillaPayoff(ql.Option.Call, strike)
        discount = float(np.exp(-RATE * years))
        both.append(ql.BlackCalculator(payoff, forward, vol * years**0.5, discount))
    near, far = both
    delta = LOT * (far.deltaForward() - near.deltaForward())
    assert risk.delta == pytest.approx(delta, rel=1e-6)
    # paise to a volatility point of rupees to 1.00 of volatility: the same number
    assert risk.vega == pytest.approx(LOT * (far.vega(FAR) - near.vega(NEAR)), abs=1.0)


def _covered(price: float, later: bool) -> Structure:
    """A call sold on an index with its future, which ends with it or later."""
    known, day = model_chain(), date(2026, 2, 10)
    front = _expiry(known.front, NEAR, NEAR_VOL, NEAR_FORWARD)
    ends = front.expiry + timedelta(days=30 * later)
    future = FutureContract("NIFTY", ends, InstrumentKind.INDEX, LOT, 5)
    quote = UnderlyingQuote(future, price, NEAR + 30 / 365 * later, 500)
    chain = replace(
        known,
        underlying=Underlying("NIFTY", InstrumentKind.INDEX, "Index"),
        day=day,
        expiries=(replace(front, underlying=quote, rows=pd.DataFrame()),),
    )
    call = OptionContract(
        "NIFTY", front.expiry, 104_00, Right.CALL, InstrumentKind.INDEX, LOT, 5
    )  # fmt: skip
    legs = (Leg(future, Side.BUY, 1, round(price * 100)), Leg(call, Side.SELL, 1, 1_60))
    template = TEMPLATES["covered_call"]
    assert template.legs[0].expiry is MONTHLY
    return Structure(
        template, chain, model_structure(template).view, legs, (np.nan, 104.0), (100, 100)
    )


def test_a_future_is_paid_at_its_end_and_nothing_today() -> None:
    (risk,) = evaluate([_covered(100.4, later=False)], RATE)
    assert risk.net_premium == 160_00
    assert risk.max_profit == round((104 - 100.4 + 1.6) * LOT * 100)
    assert risk.max_loss == round((100.4 - 1.6) * LOT * 100)
    assert risk.breakevens == (98.8,)
    discount = float(np.exp(-RATE * NEAR))
    call = _black(Right.CALL, 104.0, NEAR_FORWARD, NEAR_VOL**2 * NEAR, discount)
    found = (risk.expected_value + risk.charges) / 100
    # the future costs its own forward, so only the call is left
    assert found == pytest.approx(LOT * (1.6 - call), abs=0.01)


def test_the_carry_of_a_later_future_is_no_profit() -> None:
    (risk,) = evaluate([_covered(101.2, later=True)], RATE)
    (plain,) = evaluate([_covered(NEAR_FORWARD, later=False)], RATE)
    # apart from charges, which are a share of the price
    assert risk.expected_value + risk.charges == plain.expected_value + plain.charges
    assert risk.breakevens == plain.breakevens


def test_a_share_is_paid_today() -> None:
    """A share at the discounted forward is worth what it costs."""
    structure = _structure("protective_put")
    share, put = structure.legs
    price = NEAR_FORWARD * float(np.exp(-RATE * NEAR))
    legs = (replace(share, price=round(price * 100)), put)
    (risk,) = evaluate([replace(structure, legs=legs)], RATE)
    strike = put.instrument.strike / 100
    discount = float(np.exp(-RATE * NEAR))
    worth = _black(Right.PUT, strike, NEAR_FORWARD, NEAR_VOL**2 * NEAR, discount)
    found = (risk.expected_value + risk.charges) / 100
    assert found == pytest.approx(LOT * (worth - put.price / 100), abs=0.6)
    assert risk.net_premium == sum(leg.cash for leg in legs)
    assert risk.margin == 0


def test_margin_of_futures_and_options_is_one_estimate() -> None:
    """A put bought below a bought future limits what the scenarios can take."""
    covered = _covered(100.4, later=False)
    future, _ = covered.legs
    put = OptionContract(
        "NIFTY", covered.horizon.expiry, 98_00, Right.PUT, InstrumentKind.INDEX, LOT, 5
    )  # fmt: skip
    guarded = replace(covered, legs=(future, Leg(put, Side.BUY, 1, 2_00)))
    sold, bought = evaluate([covered, guarded], RATE)
    assert 0 < bought.margin < sold.margin


@pytest.mark.parametrize("name", NAMES)
def test_waiting_earns_nothing_on_smiles_that_curve(name: str) -> None:
    """At the smiles' own prices the mean is nothing, however much both smiles curve and lean."""
    smiles = [
        Curves(*(np.array([x]) for x in (0.002, 0.09, 0.06, -0.01, 0.05, 0.01, 0.06))),
        Curves(*(np.array([x]) for x in (0.006, 0.12, 0.07, -0.02, 0.09, 0.02, 0.08))),
    ]
    known = _structure(name)
    expiries = tuple(
        replace(expiry, smile=Smile(curves, SmileKind.FULL, 9, 0.0))
        for expiry, curves in zip(known.chain.expiries, smiles, strict=True)
    )
    legs = []
    for leg in known.legs:
        it = leg.instrument
        assert isinstance(it, OptionContract)
        place = 0 if it.expiry == known.horizon.expiry else 1
        forward, years = expiries[place].forward, expiries[place].years
        k = float(np.log(it.strike / 100 / forward))
        c = [float(field[0]) for field in smiles[place]]
        below, above = k - c[3], k - c[5]
        w = c[0] + c[1] / 2 * (np.hypot(below, c[4]) - below)
        w += c[2] / 2 * (np.hypot(above, c[6]) + above)
        price = _black(it.right, it.strike / 100, forward, w, float(np.exp(-RATE * years)))
        legs.append(replace(leg, price=round(price * 100)))
    chain = replace(known.chain, expiries=expiries)
    (risk,) = evaluate([replace(known, chain=chain, legs=tuple(legs))], RATE)
    # prices are of whole paise, half a paisa off at most on each of the units
    lots = sum(leg.lots for leg in legs)
    assert abs(risk.expected_value + risk.charges) <= 100 * (0.5 * LOT * lots / 100 + 1.0)
