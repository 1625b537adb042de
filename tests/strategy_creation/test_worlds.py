"""Worlds whose truth is known: a fair one, one with a planted premium, and one in the mirror.

Nothing is taken from the forecast: the search is given the distribution from which prices would be
drawn.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import Evidence, MarketView, Outlook, Topic, VolatilityOutlook
from strikeloom.domain.outcomes import Ending, Outcome, Rule
from strikeloom.domain.selectors import Delta
from strikeloom.domain.templates import StructurePurpose, VolatilityUse
from strikeloom.settings.all import load_settings
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.chain import ChainExpiry
from strikeloom.strategy_creation.choose import Chosen, choose
from strikeloom.strategy_creation.identify import identify
from strikeloom.strategy_creation.model_chain import LEVEL, model_structure
from strikeloom.strategy_creation.nearness import nearest_miss
from support.picks import built_on, made_desk
from support.reflected_rules import reflect_rules
from support.worlds import DAY, FORWARD, RATE, SYMBOL, World, enter, reflected, skewed, world

GAPS = load_settings().creation.shocks
_OTHER = {
    Outlook.BULLISH: Outlook.BEARISH,
    Outlook.BEARISH: Outlook.BULLISH,
    Outlook.NEUTRAL: Outlook.NEUTRAL,
}


def _view(vote: float, rich: float = 0.0) -> MarketView:
    """Evidence of two topics on direction, one of them half as strong, and on volatility."""
    evidence = (
        Evidence("trend", vote, vote, Topic.TREND),
        Evidence("open interest", vote, vote / 2, Topic.OPTIONS),
        Evidence("volatility over its forecast", 1.0, rich, Topic.VOLATILITY),
    )
    mean = 0.75 * vote
    outlook = Outlook.NEUTRAL
    if abs(mean) > 0.2:
        outlook = Outlook.BULLISH if mean > 0 else Outlook.BEARISH
    return MarketView(SYMBOL, DAY, outlook, abs(mean), evidence, VolatilityOutlook.FAIR, rich)


def _chosen(whole: World, view: MarketView, risk: str, shocks: list[str] = GAPS) -> Chosen:
    desk = made_desk(shocks=shocks)
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, whole)
        return choose(desk, built_on(desk, whole.chain, view, risk), risk)


def _earns(name: str) -> bool:
    return TEMPLATES[name].purpose is not StructurePurpose.PROTECT


def _earners(whole: World, view: MarketView, risk: str = "moderate") -> list[str]:
    """Names of the earners picked, best first."""
    return [pick.name for pick in _chosen(whole, view, risk).picks if _earns(pick.name)]


@pytest.mark.parametrize("vote", [-0.5, 0.0, 0.5])
@pytest.mark.parametrize("risk", ["conservative", "moderate", "aggressive"])
def test_in_a_fair_world_nothing_earns(risk: str, vote: float) -> None:
    """Every choice of strikes loses its costs on average, with a steep skew as well."""
    smiles = [skewed(0.30, 14, puts=0.6, calls=0.15), skewed(0.29, 49, puts=0.5, calls=0.15)]
    chosen = _chosen(world(smiles, smiles), _view(vote), risk)
    built = [row for row in chosen.outcomes if row.legs and _earns(row.template)]
    assert len(built) >= 20
    for row in built:
        assert row.expected_value is not None
        assert row.expected_value < 0, row
        assert row.ending is Ending.REFUSED
        assert row.rule in {
            Rule.EDGE, Rule.PROBABILITY, Rule.REWARD, Rule.UNHEDGED, Rule.CANNOT_LOSE
        }, row  # fmt: skip
    # the rest fails an earlier rule as well: the conservative profile asks 55 % for probability and
    # refuses net sold options, the moderate one refuses these, the aggressive one neither
    share = {"conservative": 0.34, "moderate": 0.6, "aggressive": 0.85}[risk]
    assert sum(row.rule is Rule.EDGE for row in built) >= share * len(built)
    assert not [pick for pick in chosen.picks if _earns(pick.name)]
    nearest = nearest_miss(chosen.outcomes)
    assert nearest is not None
    assert nearest.failed == min(row.failed for row in built if row.failed is not None)


@pytest.mark.parametrize("seed", range(3))
def test_closes_that_are_off_earn_nothing_in_a_fair_world(seed: int) -> None:
    """Closes up to 6 % beside the smile, of contracts that trade thousands of lots.

    Without an error from that disagreement the most mispriced ones would be the best of all.
    """
    smiles = [skewed(0.30, 14, puts=0.6, calls=0.15), skewed(0.29, 49, puts=0.5, calls=0.15)]
    whole, draw = world(smiles, smiles), np.random.default_rng(seed)

    def noisy(expiry: ChainExpiry) -> ChainExpiry:
        off = 1 + draw.uniform(-0.06, 0.06, len(expiry.rows))
        close = np.maximum(0.05, np.round(expiry.rows["close"] * off / 0.05) * 0.05)
        return replace(expiry, rows=expiry.rows.assign(close=close, settle=close))

    chain = replace(whole.chain, expiries=tuple(noisy(it) for it in whole.chain.expiries))
    chosen = _chosen(replace(whole, chain=chain), _view(0.0), "moderate")
    assert not [pick.name for pick in chosen.picks if _earns(pick.name)]
    gains = [row for row in chosen.outcomes if row.legs and (row.expected_value or 0) > 0]
    assert gains, "some closes seem to earn"
    assert all(row.rule is not Rule.RANK for row in gains if _earns(row.template))


def test_rich_volatility_is_sold_with_limited_loss() -> None:
    """30 % where it moves by 24 %."""
    smiles, real = [skewed(0.30, 14), skewed(0.30, 49)], [skewed(0.24, 14), skewed(0.24, 49)]
    names = _earners(world(smiles, real), _view(0.0, 0.5))
    assert names
    for name in names:
        assert TEMPLATES[name].volatility is VolatilityUse.SELL
        assert not TEMPLATES[name].is_naked
    assert names[0] in ("iron_butterfly", "iron_condor")


def test_cheap_volatility_is_bought() -> None:
    """24 % where it moves by 30 %."""
    smiles, real = [skewed(0.24, 14), skewed(0.24, 49)], [skewed(0.30, 14), skewed(0.30, 49)]
    names = _earners(world(smiles, real), _view(0.0, -0.5))
    assert names
    assert {TEMPLATES[name].volatility for name in names} == {VolatilityUse.BUY}
    assert names[0] in ("long_straddle", "long_strangle", "long_guts")


@pytest.mark.parametrize("vote", [0.0, 0.5])
def test_puts_that_are_dear_are_sold(vote: float) -> None:
    """Calls as they should be, puts the dearer the farther (37 % at 10 % below, and not 27 %)."""
    dear = [skewed(0.27, days, puts=0.4, flat_calls=True) for days in (14, 49)]
    real = [skewed(0.27, days) for days in (14, 49)]
    chosen = _chosen(world(dear, real), _view(vote), "moderate")
    earners = [pick for pick in chosen.picks if _earns(pick.name)]
    assert len(earners) == 3
    for pick in earners:
        puts = [
            leg
            for leg in pick.structure.legs
            if isinstance(leg.instrument, OptionContract) and leg.instrument.right is Right.PUT
        ]
        sold = [leg.instrument.strike / 100 for leg in puts if leg.side is Side.SELL]
        assert sold, pick.name
        assert max(sold) < FORWARD
    best = earners[0].structure.template
    assert best.volatility is VolatilityUse.SELL
    edges = {row.template: row.expected_value or 0 for row in chosen.outcomes if row.legs}
    assert edges["bull_put_spread"] > 0
    assert edges.get("long_put", -1) < 0


_CALENDARS = ("call_calendar", "put_calendar", "double_calendar")


def test_a_dear_near_expiry_makes_calendars_earn_and_a_cheap_one_does_not() -> None:
    """Who sells the near expiry alone earns more: a calendar pays for a later option that loses.

    Its later option was priced for the moves that the near expiry promises and the truth does not
    bring.
    """
    real = [skewed(0.28, 14), skewed(0.28, 49)]
    for vol, earns in ((0.36, True), (0.22, False)):
        smiles = [skewed(vol, 14), skewed(0.28, 49)]
        chosen = _chosen(world(smiles, real), _view(0.0), "moderate")
        endings = {row.template: row for row in chosen.outcomes}
        for name in _CALENDARS:
            row = endings[name]
            assert row.expected_value is not None
            assert (row.expected_value > 0) == earns, name
            assert (row.ending is not Ending.REFUSED) == earns, row
        first = next(pick for pick in chosen.picks if _earns(pick.name)).structure.template
        assert first.volatility is (VolatilityUse.SELL if earns else VolatilityUse.BUY)


@pytest.mark.parametrize("risk", ["conservative", "moderate", "aggressive"])
def test_a_later_expiry_quoted_below_its_smile_is_valued_and_not_proposed(risk: str) -> None:
    """Quoted at 25 % where it returns to 28 %: time spreads earn most, by closes alone.

    What closes disagree with the smile by is an error, so that it is no premium.
    """
    fair = [skewed(0.28, 14), skewed(0.28, 49)]
    whole = world(fair, fair, quoted=[fair[0], skewed(0.25, 49)])
    chosen = _chosen(whole, _view(0.0), risk)
    assert [pick.name for pick in chosen.picks if _earns(pick.name)] == []
    valued = [row for row in chosen.outcomes if row.expected_value and _earns(row.template)]
    valued.sort(key=lambda row: -(row.expected_value or 0) / (row.funds or 1))
    assert {row.template for row in valued[:2]} == {"double_calendar", "put_calendar"}
    for row in valued[:2]:
        assert row.rule is Rule.EDGE
        later = [leg for leg in row.legs if _days(leg) == 49]
        assert all(leg.side is Side.BUY for leg in later)
        cheap = sum(leg.signed_units * (_fair(leg) - leg.price / 100) for leg in later)
        # the round trip's costs are between the two, and no more than a fifth of it here
        assert 0.8 * cheap < (row.expected_value or 0) / 100 < cheap


def test_a_dear_later_expiry_is_not_bought() -> None:
    fair = [skewed(0.28, 14), skewed(0.28, 49)]
    dear = world(fair, fair, quoted=[fair[0], skewed(0.30, 49)])
    assert _earners(dear, _view(0.0), "aggressive") == []


def _days(leg: Leg) -> int:
    assert isinstance(leg.instrument, OptionContract)
    return (leg.instrument.expiry - DAY).days


def _fair(leg: Leg) -> float:
    """Black's formula at 28 %."""
    it = leg.instrument
    assert isinstance(it, OptionContract)
    strike, years = it.strike / 100, _days(leg) / 365
    spread = 0.28 * math.sqrt(years)
    far = math.log(FORWARD / strike) / spread + spread / 2
    sign = 1 if it.right is Right.CALL else -1
    worth = FORWARD * norm.cdf(sign * far) - strike * norm.cdf(sign * (far - spread))
    return float(sign * worth * math.exp(-RATE * years))


def _twins() -> dict[str, str]:
    """Name of each template's twin about the forward, by its legs on the model chain."""
    found = {}
    for name, template in TEMPLATES.items():
        if template.has_underlying:
            continue
        legs = [
            replace(
                leg,
                instrument=replace(
                    leg.instrument,
                    strike=round(200 * LEVEL) - leg.instrument.strike,
                    right=Right.PUT if leg.instrument.right is Right.CALL else Right.CALL,
                ),
            )
            for leg in model_structure(template).legs
            if isinstance(leg.instrument, OptionContract)
        ]
        for other in identify(legs):
            alike = {_OTHER[outlook] for outlook in template.outlooks} == other.outlooks
            alike &= other.cash_secured == template.cash_secured
            if alike and other.stance is template.stance.opposite:
                found.setdefault(name, other.name)
    return found


TWINS = _twins()


def test_twins_are_twins_of_each_other() -> None:
    # a put diagonal has two: the poor man's covered call has no bearish counterpart
    assert {name for name, twin in TWINS.items() if TWINS[twin] != name} <= {
        "put_diagonal", "call_diagonal", "poor_mans_covered_call"
    }  # fmt: skip
    without = {name for name in TEMPLATES if name not in TWINS}
    assert all(TEMPLATES[name].has_underlying for name in without - {"cash_secured_put"})


Pair = tuple[Outcome, Outcome]


def _legs(row: Outcome, *, turned: bool = False) -> set[tuple[object, ...]]:
    found = set()
    for leg in row.legs:
        it = leg.instrument
        assert isinstance(it, OptionContract)
        strike, right = it.strike, it.right
        if turned:
            strike = round(200 * FORWARD) - strike
            right = Right.PUT if right is Right.CALL else Right.CALL
        found.add((leg.signed_units, strike, right, it.expiry, leg.price))
    return found


def _pairs(risk: str, vote: float, shocks: list[str], *, rules: bool) -> list[Pair]:
    """Each outcome with legs of a steep skew and another truth, and its twin's in the mirror."""
    smiles = [skewed(0.30, 14, puts=0.6, calls=0.15), skewed(0.28, 49, puts=0.5, calls=0.15)]
    real = [skewed(0.25, 14, puts=0.3, calls=0.2), skewed(0.25, 49, puts=0.3, calls=0.2)]
    whole = world(smiles, real)
    mirror = reflected(whole)
    here = _chosen(whole, _view(vote, 0.3), risk, shocks)
    with pytest.MonkeyPatch.context() as patch:
        if rules:
            reflect_rules(patch, mirror)
        mirrored = _chosen(mirror, _view(-vote, 0.3), risk, shocks)
    there = {row.template: row for row in mirrored.outcomes}
    found = []
    for row in here.outcomes:
        if row.template in TWINS:
            twin = there[TWINS[row.template]]
            if row.legs:
                found.append((row, twin))
            else:
                assert twin.rule is row.rule
    return found


@pytest.mark.parametrize("vote", [0.0, 0.5])
@pytest.mark.parametrize("risk", ["moderate", "aggressive"])
@pytest.mark.parametrize("shocks", [[], GAPS], ids=["calm", "shocks"])
def test_the_mirrored_market_gets_the_mirrored_structures(
    shocks: list[str], risk: str, vote: float
) -> None:
    """Every template: same endings, strikes reflected, scores within 2 %.

    Rules that know a share of the price or a logarithm are the twin's (``reflected_rules``).
    """
    compared = same = 0
    for row, twin in _pairs(risk, vote, shocks, rules=True):
        assert row.score is not None
        # margin after a shock is Black's value 36 % from there, a share of the price again
        near = 0.05 if shocks and row.template == "call_backspread" else 0.02
        assert (row.rule is Rule.UNHEDGED) == (twin.rule is Rule.UNHEDGED), (row, twin)
        if row.rule is Rule.UNHEDGED:
            # a price ends at 0 on one side only: what is unlimited above is limited below
            assert risk == "moderate"
            assert shocks or twin.score == pytest.approx(row.score, rel=near), row.template
            continue
        passed = row.ending is not Ending.REFUSED
        assert passed == (twin.ending is not Ending.REFUSED), (row, twin)
        if passed:
            assert twin.score == pytest.approx(row.score, rel=near), row.template
            compared += 1
            same += _legs(row) == _legs(twin, turned=True)
    assert compared >= (13 if vote == 0.0 else 4)
    assert same >= 0.9 * compared


@pytest.mark.parametrize("vote", [0.0, 0.5])
@pytest.mark.parametrize("risk", ["moderate", "aggressive"])
def test_the_mirrored_market_by_the_rules_as_they_are(risk: str, vote: float) -> None:
    """Without shocks: scores within 2 % but by deltas and of later options, which know logs."""
    compared = 0
    for row, twin in _pairs(risk, vote, [], rules=False):
        template = TEMPLATES[row.template]
        by_delta = any(isinstance(leg.strike, Delta) for leg in template.legs)
        if by_delta or model_structure(template).has_later_legs:
            continue
        if row.rule is Rule.UNHEDGED or twin.rule is Rule.UNHEDGED:
            continue
        passed = row.ending is not Ending.REFUSED
        assert passed == (twin.ending is not Ending.REFUSED), (row, twin)
        if passed:
            assert twin.score == pytest.approx(row.score, rel=0.02), row.template
            compared += 1
    assert compared >= 4
