"""What a stock's structure needs in its last week."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from strikeloom.domain.instruments import InstrumentKind, OptionContract
from strikeloom.domain.legs import Side
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.delivery import delivery_need
from strikeloom.strategy_creation.model_chain import model_structure


def test_the_larger_side_of_what_is_bought_is_paid_in_full_on_the_last_day() -> None:
    structure = model_structure(TEMPLATES["iron_condor"])
    bought = [
        leg.instrument.strike * leg.signed_units
        for leg in structure.legs
        if isinstance(leg.instrument, OptionContract) and leg.side is Side.BUY
    ]
    need = delivery_need(structure)
    assert need is not None
    assert need.most == max(bought)
    # four trading days before Tuesday 2026-03-10; 2026-03-03 is Holi
    assert structure.horizon.expiry == date(2026, 3, 10)
    assert need.since == date(2026, 3, 4)


def test_an_index_delivers_nothing_and_neither_does_what_is_only_sold() -> None:
    structure = model_structure(TEMPLATES["long_call"])
    index = replace(structure.chain.underlying, kind=InstrumentKind.INDEX)
    assert (
        delivery_need(replace(structure, chain=replace(structure.chain, underlying=index))) is None
    )
    assert delivery_need(model_structure(TEMPLATES["short_straddle"])) is None
