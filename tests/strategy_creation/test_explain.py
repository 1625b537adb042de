"""Sentences of a proposal: what they name, and when they are left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from strikeloom.domain.instruments import FutureContract
from strikeloom.domain.market import Evidence, Topic, VolatilityOutlook
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.explain import explain
from strikeloom.strategy_creation.model_chain import LOT, SYMBOL, model_structure
from strikeloom.strategy_creation.structure import Structure
from support.picks import pick


def _sentences(structure: Structure, shocks: list[str]) -> list[str]:
    (risk,) = evaluate([structure], 0.0, shocks)
    return list(explain(pick(structure), risk, 0.0))


def test_a_later_future_has_no_volatility_of_its_own() -> None:
    structure = model_structure(TEMPLATES["covered_call"])
    ends = structure.horizon.expiry
    future = FutureContract(SYMBOL, ends + timedelta(days=28), lot_size=LOT)
    legs = tuple(
        replace(leg, instrument=future, lots=1) if leg.instrument.lot_size == 1 else leg
        for leg in structure.legs
    )
    (found,) = (s for s in _sentences(replace(structure, legs=legs), []) if "Valued at" in s)
    assert found == (
        f"Valued at the close of {ends}; {future.label} without its carry beyond that day."
    )


def test_a_later_option_is_worth_what_its_volatility_makes_of_it() -> None:
    structure = model_structure(TEMPLATES["call_calendar"])
    (found,) = (s for s in _sentences(structure, []) if "Valued at" in s)
    later = structure.legs[1].instrument.label
    assert f"; {later} then at what the volatility of that expiry makes of the time" in found


def test_what_was_missed_is_measured_in_moves_of_the_legs_own_expiry() -> None:
    structure = model_structure(TEMPLATES["call_calendar"])
    chain = structure.chain
    near, far = (expiry.deviation for expiry in chain.expiries)
    later = structure.legs[1].instrument
    off = 0.1 * (near + far) / 2 * later.strike / 100  # a tenth of a near move, less of a far one
    wanted = tuple(leg.instrument.strike / 100 + off for leg in structure.legs)
    (found,) = (
        s for s in _sentences(replace(structure, wanted=wanted), []) if "Other strikes" in s
    )
    assert found.count(" for ") == 1


def test_a_shock_is_named_where_something_is_needed_after_it() -> None:
    names = ["volatility_doubles"]
    sold = _sentences(model_structure(TEMPLATES["short_strangle"]), names)
    assert any(s.startswith("After the shock 'volatility doubles' it binds ₹") for s in sold)
    bought = _sentences(model_structure(TEMPLATES["protective_put"]), names)
    assert not any("shock" in s for s in bought)


def test_a_figure_that_rounds_to_nothing_has_no_sign() -> None:
    structure = model_structure(TEMPLATES["iron_condor"])
    evidence = (
        Evidence("skew", -0.004, -0.001, Topic.OPTIONS),
        Evidence("term structure", -0.0, -0.0, Topic.VOLATILITY),
    )
    view = replace(
        structure.view, evidence=evidence, volatility=VolatilityOutlook.FAIR, richness=-0.002
    )
    (risk,) = evaluate([structure], 0.0, [])
    sentences = " ".join(explain(pick(replace(structure, view=view)), risk, 0.0))
    assert "skew 0.00 (+0.00)" in sentences
    assert "Volatility is fair (+0.00): term structure 0.00 (+0.00)" in sentences
    assert "-0.00" not in sentences


def test_legs_are_shown_with_their_lots_and_shares() -> None:
    butterfly = " ".join(_sentences(model_structure(TEMPLATES["call_butterfly"]), []))
    assert f"sell 2 {SYMBOL} 10 Mar 100 CE at" in butterfly
    assert f"buy {SYMBOL} 10 Mar 107 CE at" in butterfly
    covered = " ".join(_sentences(model_structure(TEMPLATES["covered_call"]), []))
    assert f"buy {LOT} {SYMBOL} share at 100.00" in covered


def _why(name: str, **money: int) -> list[str]:
    """First sentences of a proposal that is made of an exact evaluation and the figures given."""
    structure = model_structure(TEMPLATES[name])
    (risk,) = evaluate([structure], 0.0, [])
    return list(explain(pick(structure), replace(risk, liquidity="B", **money), 0.0))[:2]


def test_an_earner_states_what_it_earns_for_what_it_binds_and_how_sure_that_is() -> None:
    earns, sure = _why("iron_condor", edge=200_00, error=50_00)
    assert earns == (
        "Expected to earn +₹200.00 after a round trip, give or take ₹50.00 by its quotes and "
        "the forecast (₹30.00 by its quotes alone), on ₹10,000.00 that it binds after the worst "
        "shock, premium included: +3.00 % a month, -0.25 % for its tail, +0.75 % for how it fits."
    )
    assert sure == "Conviction 70 of 100 (high); liquidity of grade B."


def test_a_hedge_states_what_it_protects_and_costs() -> None:
    first, second = _why("protective_put", edge=-150_00, error=50_00)
    assert first.startswith("A hedge, not an earner: it loses at most ₹")
    assert "is expected to cost ₹150.00 after a round trip of ₹" in first
    assert second.startswith("View ")
    (free, _) = _why("protective_put", edge=150_00, error=50_00)
    assert free.startswith("A hedge that costs nothing on average: it loses at most ₹")
