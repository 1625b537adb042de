"""Closes that cannot be of one time: those that together traded least leave the strikes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.domain.market import MarketView, Outlook
from strikeloom.errors import NotBuildable
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.chain import Chain
from strikeloom.strategy_creation.contradictions import kept_closes, left_out
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.explain import explain
from strikeloom.strategy_creation.model_chain import model_chain
from strikeloom.strategy_creation.strikes import choose
from strikeloom.strategy_creation.structure import structure_of
from strikeloom.strategy_creation.tradable import TradableStrikes
from support.picks import built_on, made_desk, pick

DAY = date(2026, 2, 10)


def _kept(right: Right, closes: dict[float, float], lots: list[int]) -> list[float]:
    strike, close = np.array(list(closes)), np.array(list(closes.values()))
    return strike[kept_closes(strike, close, np.array(lots), right)].tolist()


def test_a_spread_priced_above_its_width_loses_what_traded_less() -> None:
    """Closes of RBLBANK on 2026-02-10: 290 and 295 calls at 20.70 and 13.20, 5 rupees apart."""
    closes = {290.0: 20.70, 295.0: 13.20, 310.0: 4.90, 320.0: 2.10}
    assert _kept(Right.CALL, closes, [12, 90, 400, 300]) == [295, 310, 320]
    assert _kept(Right.CALL, closes, [90, 12, 400, 300]) == [290, 310, 320]
    strike, close = np.array(list(closes)), np.array(list(closes.values()))
    kept = np.array([False, True, True, True])
    (gone,) = left_out(strike, close, kept, Right.CALL)
    assert str(gone) == ("290 CE at 20.70 contradicts 295 CE at 13.20 (+7.50 for strikes 5 apart)")


@pytest.mark.parametrize(
    ("right", "closes"),
    [
        (Right.CALL, {290: 13.20, 295: 13.25}),
        (Right.PUT, {290: 13.25, 295: 13.20}),
        (Right.PUT, {290: 10.00, 295: 15.05}),
    ],
)
def test_a_spread_worth_less_than_nothing_or_more_than_its_width(
    right: Right, closes: dict[float, float]
) -> None:
    assert _kept(right, closes, [10, 20]) == [295]


@pytest.mark.parametrize(
    ("right", "closes"),
    [
        (Right.CALL, {290: 18.20, 295: 13.20}),
        (Right.CALL, {290: 13.20, 295: 13.20}),
        (Right.PUT, {290: 10.00, 295: 15.00}),
    ],
)
def test_a_spread_from_nothing_to_its_width_stays(right: Right, closes: dict[float, float]) -> None:
    assert _kept(right, closes, [10, 20]) == [290, 295]


def test_one_that_contradicts_many_stays_where_it_traded_more_than_they_did() -> None:
    """A close of thousands of lots is surer than several of ten."""
    closes = {100.0: 9.0, 105.0: 12.5, 110.0: 7.0, 115.0: 6.0}
    assert _kept(Right.CALL, closes, [10, 9_000, 10, 10]) == [105, 115]
    assert _kept(Right.CALL, closes, [10, 19, 10, 10]) == [100, 110, 115]


def _together(right: Right, strike: np.ndarray, close: np.ndarray, rows: tuple[int, ...]) -> bool:
    """Each pair by what two options of two strikes can be worth."""
    for low, high in combinations(rows, 2):
        worth = round(100 * (close[low] - close[high])) * (1 if right is Right.CALL else -1)
        if not 0 <= worth <= round(100 * (strike[high] - strike[low])):
            return False
    return True


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(list(Right)),
    st.lists(st.tuples(st.integers(0, 60), st.integers(10, 99)), min_size=1, max_size=7),
)
def test_those_stay_that_together_traded_most(right: Right, rows: list[tuple[int, int]]) -> None:
    """Against every choice of rows."""
    strike = 100 + 5.0 * np.arange(len(rows))
    close = np.array([price / 2 for price, _ in rows])
    lots = np.array([count for _, count in rows])
    kept = kept_closes(strike, close, lots, right)
    found = tuple(np.flatnonzero(kept).tolist())
    assert _together(right, strike, close, found)
    every = [
        some
        for size in range(1, len(rows) + 1)
        for some in combinations(range(len(rows)), size)
        if _together(right, strike, close, some)
    ]
    most = max(int(lots[list(some)].sum()) for some in every)
    assert int(lots[list(found)].sum()) == most
    for gone in left_out(strike, close, kept, right):
        pair = tuple(sorted(int(np.argmin(abs(strike - x))) for x in (gone.strike, gone.other)))
        assert not _together(right, strike, close, pair)
        assert kept[int(np.argmin(abs(strike - gone.other)))]


def _with_close(chain: Chain, right: Right, strike: float, close: float, lots: int) -> Chain:
    """The front with one close of another moment."""
    front = chain.front
    rows: pd.DataFrame = front.rows.copy()
    at = (rows["strike"] == strike) & (rows["right"] == right.value)
    assert at.sum() == 1
    rows.loc[at, ["close", "settle"]] = close
    rows.loc[at, "lots_traded"] = lots
    return replace(chain, expiries=(replace(front, rows=rows), *chain.expiries[1:]))


def test_it_is_no_strike_of_the_search_and_the_reason_names_it() -> None:
    """The call at the money at half of what the next higher one costs."""
    chain = _with_close(model_chain(), Right.CALL, 100.0, 1.0, 10)
    strikes = TradableStrikes(chain, 1)
    assert 100.0 not in strikes.of(chain.front, Right.CALL).strike
    view = MarketView("MODEL", DAY, Outlook.NEUTRAL, 0.1, ())
    for made in built_on(made_desk(), chain, view, "aggressive").structures:
        for leg in made.legs:
            it = leg.instrument
            assert not isinstance(it, OptionContract) or (it.strike, it.right, it.expiry) != (
                100_00, Right.CALL, chain.front.expiry
            )  # fmt: skip
    template = TEMPLATES["short_straddle"]
    made = structure_of(template, view, strikes, choose(template, strikes))
    (risk,) = evaluate([made], 0.0)
    (found,) = (s for s in explain(pick(made), risk, 0.0) if s.startswith("Left out"))
    assert found.startswith("Left out for their closes: 100 CE at 1.00 contradicts ")


def test_a_refusal_for_want_of_a_strike_names_it() -> None:
    """A put at the call's strike is wanted, which is left out."""
    chain = _with_close(model_chain(), Right.PUT, 100.0, 30.0, 10)
    front = chain.front
    few = front.rows[front.rows["strike"].isin([80.0, 100.0, 120.0])]
    chain = replace(chain, expiries=(replace(front, rows=few), *chain.expiries[1:]))
    with pytest.raises(NotBuildable, match=r"left out: 100 PE at 30\.00 contradicts 80 PE at"):
        choose(TEMPLATES["short_straddle"], TradableStrikes(chain, 1))
