"""Sign convention, ids and results."""

from __future__ import annotations

import pickle
from datetime import date

import pytest

from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.proposals import strategy_id
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.errors import Rejected

DAY = date(2026, 2, 10)


def _leg(strike: int, side: Side, lots: int = 1, price: int = 10000) -> Leg:
    instrument = OptionContract("NIFTY", date(2026, 2, 24), strike, Right.CALL, lot_size=65)
    return Leg(instrument, side, lots, price)


def test_a_sold_leg_brings_cash_and_a_bought_one_costs_it() -> None:
    # one lot of 65 at Rs 100: premium Rs 6,500
    assert _leg(2500000, Side.SELL).cash == 650000
    assert _leg(2500000, Side.BUY).cash == -650000
    assert _leg(2500000, Side.SELL, lots=2).signed_units == -130
    assert Side.BUY.opposite is Side.SELL


def test_a_strategy_is_named_by_what_it_is() -> None:
    low, high = _leg(2500000, Side.BUY), _leg(2550000, Side.SELL)
    name = strategy_id("nse", DAY, "NIFTY", "bull_call_spread", [low, high])
    assert name == strategy_id("nse", DAY, "NIFTY", "bull_call_spread", [high, low])
    dearer = _leg(2500000, Side.BUY, price=10005)
    assert name == strategy_id("nse", DAY, "NIFTY", "bull_call_spread", [dearer, high])
    others = {
        strategy_id("synthetic-7", DAY, "NIFTY", "bull_call_spread", [low, high]),
        strategy_id("nse", date(2026, 2, 11), "NIFTY", "bull_call_spread", [low, high]),
        strategy_id("nse", DAY, "NIFTY", "bull_call_spread", [_leg(2500000, Side.BUY, 2), high]),
        strategy_id("nse", DAY, "NIFTY", "bull_call_spread", [_leg(2500000, Side.SELL), high]),
    }
    assert name not in others
    assert len(others) == 4


def test_a_result_whose_counts_do_not_add_up_is_refused() -> None:
    def result(**counts: int) -> StageResult:
        return StageResult(
            run_id="r",
            stage=Stage.ALLOCATION,
            market="nse",
            account="replay:nse",
            day=DAY,
            verdict=Verdict.DONE,
            counts=counts,
        )

    assert result(universe=3, done=2, refused=1).counts["done"] == 2
    with pytest.raises(ValueError, match="do not add up"):
        result(universe=3, done=1, refused=1)


def test_stages_know_their_notebook_and_what_they_read() -> None:
    assert Stage.EXECUTION.notebook == "04_execution.ipynb"
    assert Stage.EXECUTION.upstream is Stage.ALLOCATION
    assert Stage.IV_HISTORY.upstream is None


def test_an_error_keeps_its_facts_through_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(Rejected("no margin", code="RS-0022")))  # noqa: S301
    assert isinstance(error, Rejected)
    assert (str(error), error.facts) == ("no margin", {"code": "RS-0022"})
