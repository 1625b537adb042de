"""Costs of a round trip and margin after shocks, of structures on a chain of known prices."""

from __future__ import annotations

from datetime import date

import pytest

from strikeloom.domain.instruments import InstrumentKind, OptionContract
from strikeloom.domain.legs import Side
from strikeloom.errors import DataError
from strikeloom.nse.charges import segment_of, trade_charges
from strikeloom.risk.shocks import shocks_named
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.model_chain import model_structure

GAPS = ["gap_down_5", "gap_up_5", "gap_down_10", "gap_up_10"]


@pytest.mark.parametrize("name", ["iron_condor", "short_strangle", "covered_call", "call_calendar"])
def test_a_gap_needs_more_and_the_worst_is_named(name: str) -> None:
    structure = model_structure(TEMPLATES[name])
    (risk,) = evaluate([structure], 0.0, GAPS)
    (plain,) = evaluate([structure], 0.0)
    assert (plain.margin_after, plain.shock) == (None, "")
    assert risk.margin == plain.margin
    assert risk.margin_after is not None
    each = {gap: evaluate([structure], 0.0, [gap])[0].margin_after or 0 for gap in GAPS}
    worst = max(each, key=lambda gap: each[gap])
    assert risk.margin_after == each[worst]
    (named,) = shocks_named([worst], InstrumentKind.STOCK, date(2026, 2, 10))
    assert risk.shock == named.title


def test_a_naked_strangle_needs_its_loss_after_a_gap() -> None:
    (risk,) = evaluate([model_structure(TEMPLATES["short_strangle"])], 0.0, ["gap_up_10"])
    assert risk.margin_after is not None
    assert risk.margin_after + risk.net_premium > 1.2 * risk.margin


def test_what_is_set_aside_for_a_delivery_is_needed_after_a_shock_too() -> None:
    structure = model_structure(TEMPLATES["cash_secured_put"])
    (risk,) = evaluate([structure], 0.0, ["gap_up_10"])
    (leg,) = structure.legs
    assert isinstance(leg.instrument, OptionContract)
    aside = leg.instrument.strike * -leg.signed_units
    assert risk.margin == aside
    # the premium that was received is a part of it
    assert risk.margin_after == aside - risk.net_premium


def test_a_bought_option_needs_what_it_costs_and_an_unknown_shock_is_refused() -> None:
    structure = model_structure(TEMPLATES["long_call"])
    (risk,) = evaluate([structure], 0.0, GAPS)
    assert (risk.margin, risk.margin_after, risk.shock) == (0, -risk.net_premium, "")
    with pytest.raises(DataError, match="no shock 'gap_down_7' is known"):
        evaluate([structure], 0.0, ["gap_down_7"])


@pytest.mark.parametrize("name", ["bull_put_spread", "covered_call"])
def test_a_round_trip_is_two_orders_a_leg_and_the_width(name: str) -> None:
    structure = model_structure(TEMPLATES[name])
    (risk,) = evaluate([structure], 0.0)
    charges = sum(
        trade_charges(
            side, abs(leg.signed_units), leg.price, structure.chain.day,
            segment=segment_of(leg.instrument),
        ).total
        for leg in structure.legs
        for side in Side
    )  # fmt: skip
    assert risk.round_trip is not None
    assert charges < risk.round_trip < 20 * charges
    one_way = risk.charges
    assert risk.round_trip > 1.5 * one_way
