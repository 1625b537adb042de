"""Strikes that selectors want, reach and take, on the model chain and on thinner ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import QuantLib as ql

from strikeloom.domain.instruments import FutureContract, InstrumentKind, Right, Underlying
from strikeloom.domain.legs import Side
from strikeloom.domain.selectors import (
    FRONT,
    MONTHLY,
    NEXT,
    Delta,
    Moves,
    Reflection,
    Same,
    SameExpiry,
    Steps,
    Width,
)
from strikeloom.domain.templates import LegTemplate, StrategyTemplate
from strikeloom.errors import NotBuildable
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.chain import Chain, UnderlyingQuote
from strikeloom.strategy_creation.model_chain import VOL, model_chain, model_structure
from strikeloom.strategy_creation.strikes import (
    LegSearch,
    TradableStrikes,
    choose,
    leg_expiries,
    reachable,
)
from strikeloom.strategy_creation.structure import structure_of

DEVIATION = VOL * (28 / 365) ** 0.5


def _template(*legs: LegTemplate) -> StrategyTemplate:
    return replace(TEMPLATES["iron_condor"], legs=legs)


def _taken(template: StrategyTemplate, chain: Chain) -> list[tuple[float, float]]:
    """Wanted and taken strike of each leg."""
    strikes = TradableStrikes(chain, 10)
    return [
        (choice.wanted, float(strikes.of(choice.expiry, leg.right).strike[choice.place]))
        for leg, choice in zip(template.legs, choose(template, strikes), strict=True)
        if leg.right is not None
    ]


def _thinned(chain: Chain, keep: object, place: int = 0) -> Chain:
    """The chain with only some rows of an expiry; ``keep`` is a function of the frame."""
    expiries = list(chain.expiries)
    rows = expiries[place].rows
    expiries[place] = replace(expiries[place], rows=rows[keep(rows)])  # type: ignore[operator]
    return replace(chain, expiries=tuple(expiries))


def test_moves_are_expected_moves_of_the_legs_own_expiry() -> None:
    template = _template(
        LegTemplate(Side.SELL, Right.CALL, Moves(1.0), FRONT),
        LegTemplate(Side.BUY, Right.CALL, Moves(1.0), NEXT),
    )
    (near, _), (far, _) = _taken(template, model_chain())
    assert near == pytest.approx(100 * (1 + DEVIATION))
    assert far == pytest.approx(100 * (1 + VOL * (63 / 365) ** 0.5))


@pytest.mark.parametrize(("size", "right"), [(0.25, Right.CALL), (0.3, Right.PUT)])
def test_a_delta_is_blacks_on_the_smile(size: float, right: Right) -> None:
    ((wanted, taken),) = _taken(
        _template(LegTemplate(Side.SELL, right, Delta(size))), model_chain()
    )
    kind = ql.Option.Call if right is Right.CALL else ql.Option.Put
    found = ql.BlackCalculator(ql.PlainVanillaPayoff(kind, wanted), 100.0, DEVIATION, 1.0)
    assert abs(found.deltaForward()) == pytest.approx(size, abs=1e-9)
    assert abs(taken - wanted) <= 0.6


def test_steps_count_listed_strikes() -> None:
    legs = (
        LegTemplate(Side.BUY, Right.CALL, Steps(-2)),
        LegTemplate(Side.SELL, Right.CALL, Steps(3)),
    )
    assert [taken for _, taken in _taken(_template(*legs), model_chain())] == [98.0, 103.0]
    sparse = _thinned(model_chain(), lambda rows: rows["strike"] % 5 == 0)
    assert [taken for _, taken in _taken(_template(*legs), sparse)] == [90.0, 115.0]


def test_widths_and_reflections_follow_the_strike_that_was_taken() -> None:
    sparse = _thinned(model_chain(), lambda rows: rows["strike"] % 4 == 0)
    template = _template(
        LegTemplate(Side.SELL, Right.CALL, Moves(0.5)),
        LegTemplate(Side.BUY, Right.CALL, Width(0, 0.6)),
        LegTemplate(Side.BUY, Right.PUT, Reflection(0)),
    )
    (wanted, sold), (wing, _), (mirrored, _) = _taken(template, sparse)
    assert wanted == pytest.approx(100 * (1 + 0.5 * DEVIATION))
    assert sold == 104.0
    assert wing == pytest.approx(104 + 60 * DEVIATION)
    assert mirrored == 96.0


def test_wings_about_a_leg_are_even_in_rupees() -> None:
    for name in ("call_butterfly", "put_butterfly", "iron_butterfly"):
        strikes = sorted({taken for _, taken in _taken(TEMPLATES[name], model_chain())})
        low, body, high = strikes
        assert high - body == body - low, name


def test_a_wing_that_must_be_wider_is_never_even() -> None:
    """Strikes every 4 make the wanted widths of 0.4 and 0.5 moves one: the next strike is taken."""
    sparse = _thinned(model_chain(), lambda rows: rows["strike"] % 4 == 0)
    first = (
        LegTemplate(Side.BUY, Right.CALL, Moves(0.0)),
        LegTemplate(Side.SELL, Right.CALL, Width(0, 0.4), ratio=2),
    )
    even = _template(*first, LegTemplate(Side.BUY, Right.CALL, Width(1, 0.5)))
    assert [taken for _, taken in _taken(even, sparse)] == [100.0, 104.0, 108.0]
    wider = _template(*first, LegTemplate(Side.BUY, Right.CALL, Width(1, 0.5, wider_than=(0, 1))))
    assert [taken for _, taken in _taken(wider, sparse)] == [100.0, 104.0, 112.0]
    none = _template(*first, LegTemplate(Side.BUY, Right.CALL, Width(1, 0.5, narrower_than=(0, 1))))
    with pytest.raises(NotBuildable, match="order of the legs and their widths"):
        _taken(none, sparse)


def test_the_nearest_strike_is_taken_when_the_wanted_one_is_missing() -> None:
    condor = TEMPLATES["iron_condor"]
    whole = _taken(condor, model_chain())
    gone = whole[2][1]
    thin = _thinned(
        model_chain(), lambda rows: ~((rows["strike"] == gone) & (rows["right"] == "CE"))
    )
    again = _taken(condor, thin)
    assert again[2][0] == whole[2][0]
    assert abs(again[2][1] - gone) == 1.0
    assert [pair[1] for pair in again[:2]] == [pair[1] for pair in whole[:2]]


def test_a_refusal_names_leg_wanted_nearest_and_limit() -> None:
    near = _thinned(model_chain(), lambda rows: (rows["strike"] - 100).abs() <= 2)
    with pytest.raises(NotBuildable, match=r"leg 1, buy PE .*wanted 85\.82; the nearest tradable "
                       r"strike 98 is 1\.37 expected moves off, and at most 0\.60"):  # fmt: skip
        _taken(TEMPLATES["iron_condor"], near)
    with pytest.raises(NotBuildable, match=r"of delta off, and at most 0\.12"):
        _taken(TEMPLATES["short_call"], near)
    none = _thinned(model_chain(), lambda rows: rows["right"] == "PE")
    with pytest.raises(NotBuildable, match=r"no CE of .* with 10 lots or more"):
        _taken(TEMPLATES["long_call"], none)


def test_two_legs_never_share_a_strike_that_must_differ() -> None:
    wide = _thinned(model_chain(), lambda rows: rows["strike"] % 10 == 0)
    with pytest.raises(NotBuildable, match=r"leg 2.*none keeps the order of the legs"):
        _taken(
            _template(
                LegTemplate(Side.BUY, Right.CALL, Moves(0.0)),
                LegTemplate(Side.SELL, Right.CALL, Width(0, 0.3)),
            ),
            wide,
        )


def test_a_shared_strike_is_one_that_is_tradable_for_all() -> None:
    straddle = TEMPLATES["long_straddle"]
    lacking = _thinned(
        model_chain(), lambda rows: ~((rows["strike"] == 100) & (rows["right"] == "PE"))
    )
    strikes = [taken for _, taken in _taken(straddle, lacking)]
    assert strikes[0] == strikes[1] != 100
    calendar = TEMPLATES["call_calendar"]
    later = _thinned(model_chain(), lambda rows: rows["strike"] % 3 == 0, place=1)
    strikes = [taken for _, taken in _taken(calendar, later)]
    assert strikes == [99.0, 99.0]
    far = _thinned(model_chain(), lambda rows: rows["strike"] > 120, place=1)
    with pytest.raises(NotBuildable, match="tradable for all that share it"):
        _taken(calendar, far)


def test_everything_in_reach_is_offered_nearest_first() -> None:
    chain = model_chain()
    strikes = TradableStrikes(chain, 10)
    leg = LegTemplate(Side.SELL, Right.CALL, Moves(1.0, reach=0.3))
    search = LegSearch(leg, Right.CALL, Moves(1.0, reach=0.3), chain.front, strikes)
    shown = strikes.of(chain.front, Right.CALL).strike
    wanted = search.wanted([])
    found = shown[reachable(search, shown, wanted)]
    off = np.abs(np.log(found / wanted))
    assert (np.diff(off) >= 0).all()
    expected = [k for k in shown if abs(np.log(k / wanted)) <= 0.3 * DEVIATION]
    assert sorted(found) == expected
    assert len(found) >= 5


def test_expiries_are_found_by_name() -> None:
    chain = model_chain()
    front, later = chain.expiries
    calendar = TEMPLATES["double_calendar"]
    assert leg_expiries(calendar, chain) == (front, later, front, later)
    followers = _template(
        LegTemplate(Side.SELL, Right.CALL, Moves(0.0), NEXT),
        LegTemplate(Side.BUY, Right.CALL, Moves(1.0)),
        LegTemplate(Side.BUY, Right.PUT, Moves(-1.0), FRONT),
        LegTemplate(Side.SELL, Right.PUT, Same(2), SameExpiry(2)),
    )
    assert leg_expiries(followers, chain) == (later, later, front, front)
    assert leg_expiries(TEMPLATES["covered_call"], chain) == (front, front)
    alone = replace(chain, expiries=(front,), next=None)
    with pytest.raises(NotBuildable, match="no expiry is listed after"):
        leg_expiries(calendar, alone)
    without = replace(chain, expiries=(front,), missing={later.expiry: "no smile"})
    with pytest.raises(NotBuildable, match=f"its next expiry {later.expiry}: no smile"):
        leg_expiries(calendar, without)
    both = _template(
        LegTemplate(Side.SELL, Right.CALL, Moves(0.0), FRONT),
        LegTemplate(Side.BUY, Right.CALL, Same(0), MONTHLY),
    )
    with pytest.raises(NotBuildable, match="its front and monthly expiry are both"):
        leg_expiries(both, chain)


def test_rows_that_traded_before_the_close_are_no_strikes() -> None:
    def stale(rows: pd.DataFrame) -> pd.Series:
        rows.loc[rows["strike"] == 100, "settle"] += 1.0
        rows.loc[rows["strike"] == 101, "lots_traded"] = 9
        return rows["strike"] > 0

    chain = _thinned(model_chain(), stale)
    shown = TradableStrikes(chain, 10).of(chain.front, Right.CALL).strike
    assert 99.0 in shown
    assert not {100.0, 101.0} & set(shown)


def test_an_underlying_that_cannot_be_a_leg_is_named() -> None:
    template = TEMPLATES["covered_call"]

    def built(chain: Chain) -> None:
        strikes = TradableStrikes(chain, 10)
        view = model_structure(template).view
        structure_of(template, view, strikes, choose(template, strikes))

    chain = model_chain()
    front = replace(chain.front, underlying=None)
    without = replace(chain, expiries=(front, chain.expiries[1]))
    with pytest.raises(NotBuildable, match="price of its share is not known"):
        built(without)
    index = Underlying("NIFTY", InstrumentKind.INDEX, "Index")
    with pytest.raises(NotBuildable, match=f"no future traded that lives until {front.expiry}"):
        built(replace(without, underlying=index))
    for lot, lots, reason in ((65, 500, "lots of 65, its options of 100"), (100, 4, "at least 10")):
        future = FutureContract("NIFTY", front.expiry, InstrumentKind.INDEX, lot, 5)
        quoted = replace(front, underlying=UnderlyingQuote(future, 100.0, 0.1, lots))
        with pytest.raises(NotBuildable, match=reason):
            built(replace(chain, underlying=index, expiries=(quoted, chain.expiries[1])))
