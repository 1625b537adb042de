"""Every limit of a plan by itself, in figures worked out by hand, and all of them at once."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from strikeloom.domain.templates import Stance, Tier
from strikeloom.settings.allocation import IndustryRow, TierShares
from support.candidates import DAY, LAKH, SETTINGS, candidate, plan_of

TEN_LAKH = 1_000_000
RUPEE = 100
#: No limit binds but those that a test sets.
WIDE: dict[str, object] = {
    "tiers": TierShares(income=1, momentum=0, volatility=0),
    "max_per_symbol": 1.0,
    "max_per_sector": 1.0,
    "max_loss_per_trade": 1.0,
    "max_positions": 100,
    "min_score": 0.0,
    "industries": {},
}


def _lots(rows, capital=TEN_LAKH, **changes):
    plan = plan_of(rows, capital, **{**WIDE, **changes})
    return {row.strategy_id: row.lots for row in plan.rows}


# of ten lakh, units of 30,000 rupees: how many whole ones are in the share
@pytest.mark.parametrize(
    ("changes", "lots", "limit"),
    [
        ({}, 33, "capital"),  # 9.9 lakh
        ({"max_per_symbol": 0.20}, 6, "one symbol at 20%"),  # 1.8 of 2 lakh
        ({"max_per_sector": 0.25}, 8, "sector Looms at 25%"),  # 2.4 of 2.5 lakh
        (
            {"tiers": TierShares(income=0.5, momentum=0.5, volatility=0)},
            16,  # 4.8 of 5 lakh
            "tier income at 50%",
        ),
        ({"max_loss_per_trade": 0.03}, 3, "loss of one trade at 3%"),  # 10,000 a unit: 3 of 30,000
    ],
)
def test_each_limit_gives_as_many_whole_lots_as_it_holds(changes, lots, limit):
    unit = candidate(1, capital=30_000 * RUPEE, loss=10_000 * RUPEE)
    plan = plan_of([unit], TEN_LAKH, **{**WIDE, **changes})
    assert [row.lots for row in plan.rows] == [lots]
    assert plan.binding == (limit,)
    assert plan.rows[0].capital == lots * 30_000 * RUPEE
    assert plan.rows[0].max_loss == lots * 10_000 * RUPEE
    assert plan.cash_left == TEN_LAKH * RUPEE - lots * 30_000 * RUPEE


@pytest.mark.parametrize(
    ("rupees", "changes", "room"),
    [
        (2_20_000, {"max_per_sector": 0.35}, 77_000),
        (2_20_000, {"max_per_symbol": 0.35}, 77_000),
        (2_20_000, {"tiers": TierShares(income=0.35, momentum=0.65, volatility=0)}, 77_000),
        (1_20_000, {"max_loss_per_trade": 0.29}, 34_800),
    ],
)
def test_a_limit_holds_what_equals_it_to_the_paisa(rupees, changes, room):
    """As floats 35 % of 2,20,000 is below 77,000, and 29 % of 1,20,000 below 34,800."""
    exact = candidate(1, capital=room * RUPEE, loss=room * RUPEE)
    more = candidate(1, capital=room * RUPEE + 1, loss=room * RUPEE + 1)
    assert _lots([exact], rupees, **changes) == {"S001": 1}
    assert _lots([more], rupees, **changes) == {}


@pytest.mark.parametrize(("need", "lots"), [(LAKH, 1), (LAKH + 1, 0), (LAKH // 2, 2)])
def test_a_unit_fits_to_the_paisa(need, lots):
    """10 % of ten lakh is one lakh: a unit of that fits, one of a paisa more does not."""
    assert _lots([candidate(1, capital=need)], max_per_symbol=0.10).get("S001", 0) == lots


@pytest.mark.parametrize(("loss", "lots"), [(LAKH, 1), (LAKH + 1, 0), (LAKH // 3, 3)])
def test_a_loss_fits_to_the_paisa(loss, lots):
    unit = candidate(1, capital=RUPEE, loss=loss)
    assert _lots([unit], max_loss_per_trade=0.10, max_positions=5).get("S001", 0) == lots


def test_a_strategy_of_unlimited_loss_risks_its_capital():
    """5 % of ten lakh is 50,000: two units of 20,000 each, though their loss is unlimited."""
    plan = plan_of(
        [candidate(1, capital=20_000 * RUPEE, loss=None)],
        TEN_LAKH,
        **{**WIDE, "max_loss_per_trade": 0.05},
    )
    assert [(row.lots, row.max_loss) for row in plan.rows] == [(2, None)]


def test_a_strategy_that_cannot_lose_is_held_by_the_other_limits():
    assert _lots([candidate(1, loss=0)], max_per_symbol=0.30) == {"S001": 3}


def test_a_limit_is_shared_by_those_it_counts_together():
    """Symbol, sector and tier hold 30 %: each second candidate gets what the first left."""
    for limit, same, other in (
        ({"max_per_symbol": 0.30}, {"symbol": "A"}, {"symbol": "B"}),
        ({"max_per_sector": 0.30}, {"sector": "Looms"}, {"sector": "Metals"}),
        (
            {"tiers": TierShares(income=0.30, momentum=0.30, volatility=0.40)},
            {"tier": Tier.INCOME},
            {"tier": Tier.MOMENTUM},
        ),
    ):
        first = candidate(1, capital=2 * LAKH, **same)
        again = candidate(2, capital=LAKH, **same)
        apart = candidate(3, capital=LAKH, **other)
        assert _lots([first, again, apart], **limit) == {"S001": 1, "S002": 1, "S003": 3}, limit


def test_the_cash_is_shared_by_all():
    rows = [
        candidate(1, capital=7 * LAKH, sector="Looms"),
        candidate(2, capital=4 * LAKH, sector="Metals"),
        candidate(3, capital=3 * LAKH, sector="Metals"),
    ]
    plan = plan_of(rows, TEN_LAKH, **WIDE)
    assert [(row.strategy_id, row.lots) for row in plan.rows] == [("S001", 1), ("S003", 1)]
    assert [(row.strategy_id, row.reason) for row in plan.refused] == [
        ("S002", "no lot fits: capital; a lot needs ₹4,00,000, ₹3,00,000 is available")
    ]
    assert plan.cash_left == 0
    assert plan.binding == ("capital",)


def test_a_sector_of_the_settings_has_its_own_share_but_not_more_than_every_sector():
    """A lakh a unit: 2 of a share of 25 %; 3 of one of 50 % where every sector has 35 % at most."""
    unit = candidate(1, sector="Information Technology")
    for share, lots, limit in ((0.25, 2, "25%"), (0.50, 3, "35%")):
        row = IndustryRow(share=share, stance="BOTH")
        plan = plan_of(
            [unit],
            TEN_LAKH,
            **{
                **WIDE, "max_per_sector": 0.35, "industries": {"Information Technology": row},
            },
        )  # fmt: skip
        assert [row.lots for row in plan.rows] == [lots]
        assert plan.binding == (f"sector Information Technology at {limit}",)


@pytest.mark.parametrize(
    ("sector", "admitted"),
    [
        ("LONG", {Stance.LONG, Stance.FLAT}),
        ("SHORT", {Stance.SHORT, Stance.FLAT}),
        ("BOTH", set(Stance)),
    ],
)
def test_a_sector_admits_strategies_of_its_stance(sector, admitted):
    industries = {"Looms": IndustryRow(share=1, stance=sector)}
    for stance in Stance:
        plan = plan_of(
            [candidate(1, stance=stance)], TEN_LAKH, **{**WIDE, "industries": industries}
        )
        assert bool(plan.rows) is (stance in admitted)
        other = candidate(1, stance=stance, sector="Metals")
        assert plan_of([other], TEN_LAKH, **{**WIDE, "industries": industries}).rows


def test_a_score_below_the_least_gets_no_capital():
    rows = [candidate(1, score=0.35), candidate(2, score=0.3499)]
    plan = plan_of(rows, TEN_LAKH, **{**WIDE, "min_score": 0.35, "max_per_symbol": 0.3})
    assert [row.strategy_id for row in plan.rows] == ["S001"]
    assert plan.refused[0].reason == "no lot fits: score below 0.35"


def test_no_more_positions_than_the_most():
    rows = [
        candidate(1, capital=20 * LAKH),  # refused: takes no place
        *(candidate(number, capital=LAKH) for number in range(2, 6)),
    ]
    plan = plan_of(rows, TEN_LAKH, **{**WIDE, "max_positions": 3, "max_per_symbol": 0.1})
    assert [row.strategy_id for row in plan.rows] == ["S002", "S003", "S004"]
    assert plan.refused[-1].reason == "no lot fits: 3 positions"


def test_the_best_of_two_is_served_first():
    """The same symbol holds one of them."""
    best, second = (candidate(n, symbol="A", capital=LAKH) for n in (1, 2))
    assert _lots([best, second], max_per_symbol=0.10) == {"S001": 1}


def test_the_capital_of_the_settings_is_used_when_none_is_given():
    plan = plan_of([candidate(1)], None, **WIDE, capital=250_000)
    assert (plan.capital, plan.account, plan.day) == (250_000 * RUPEE, "test", DAY)
    assert plan.rows[0].lots == 2
    assert plan_of([], 1).capital == RUPEE


def test_income_and_target_of_a_plan():
    """Four lots of Rs 1,250 and three of Rs -200 a month; 4 % of ten lakh is Rs 40,000."""
    rows = [
        candidate(1, income=1_250 * RUPEE, loss=LAKH // 10),
        candidate(2, income=-200 * RUPEE, loss=LAKH // 10, capital=2 * LAKH),
    ]
    plan = plan_of(rows, TEN_LAKH, **{**WIDE, "max_per_symbol": 0.4, "max_positions": 2})
    assert [row.lots for row in plan.rows] == [4, 2]
    assert plan.expected_income == (4 * 1_250 - 2 * 200) * RUPEE
    assert plan.target_income == 40_000 * RUPEE
    assert plan.shortfall == (40_000 - 4_600) * RUPEE


shares = st.integers(1, 100).map(lambda percent: percent / 100)
tiers = st.tuples(st.integers(0, 100), st.integers(0, 100)).filter(lambda p: sum(p) <= 100).map(
    lambda p: TierShares(
        income=p[0] / 100, momentum=p[1] / 100, volatility=(100 - p[0] - p[1]) / 100
    )
)  # fmt: skip
limits = st.fixed_dictionaries(
    {
        "tiers": tiers,
        "max_per_symbol": shares,
        "max_per_sector": shares,
        "max_loss_per_trade": shares,
        "max_positions": st.integers(1, 8),
        "min_score": shares,
        "industries": st.dictionaries(
            st.sampled_from(["Looms", "Metals"]),
            st.builds(IndustryRow, share=shares, stance=st.sampled_from(["LONG", "SHORT", "BOTH"])),
        ),
    }
)
numbered = st.lists(
    st.fixed_dictionaries(
        {
            "tier": st.sampled_from(Tier),
            "sector": st.sampled_from(["Looms", "Metals", "Mills"]),
            "symbol": st.sampled_from(["A", "B", "C", "D"]),
            "stance": st.sampled_from(Stance),
            "capital": st.integers(10**4, 10**8),
            "loss": st.none() | st.integers(0, 10**8),
            "income": st.integers(-(10**6), 10**6),
            "score": st.floats(0, 1),
        }
    ),
    max_size=12,
).map(lambda rows: [candidate(number, **row) for number, row in enumerate(rows)])


def _share(share: float) -> Fraction:
    return Fraction(str(round(share, 9)))


def _room(rows, whole, setting, unit):
    """Whole lots of a unit that fit beside rows, by exact fractions; ``None`` when not admitted."""
    own = setting["industries"].get(unit.proposal.sector)
    stance = own.stance if own else "BOTH"
    if unit.proposal.score.total < setting["min_score"]:
        return None
    if len(rows) >= setting["max_positions"]:
        return None
    if stance != "BOTH" and unit.proposal.stance.value not in ("FLAT", stance):
        return None
    sector = min(_share(own.share if own else 1), _share(setting["max_per_sector"]))
    spent = [
        (bool, Fraction(1)),
        (lambda row: row.tier is unit.proposal.tier, _share(
            getattr(setting["tiers"], unit.proposal.tier.value))),
        (lambda row: row.sector == unit.proposal.sector, sector),
        (lambda row: row.symbol == unit.proposal.symbol, _share(setting["max_per_symbol"])),
    ]  # fmt: skip
    room = [
        (whole * share - sum(row.capital for row in rows if counts(row))) / unit.capital
        for counts, share in spent
    ]
    if unit.at_risk:
        room.append(whole * _share(setting["max_loss_per_trade"]) / unit.at_risk)
    return min(room)


@given(numbered, st.integers(1, 10**6), limits)
@settings(max_examples=300, deadline=None)
def test_a_plan_keeps_every_limit_and_leaves_nothing_that_fits(rows, capital, setting):
    """Limits are counted in exact fractions; a paisa may be lost to the rounding of one."""
    plan = plan_of(rows, capital, **setting)
    whole, units = capital * RUPEE, {row.proposal.strategy_id: row for row in rows}
    assert Counter(row.strategy_id for row in (*plan.rows, *plan.refused)) == Counter(units.keys())
    for row in plan.rows:
        unit = units[row.strategy_id]
        assert isinstance(row.lots, int)
        assert row.lots >= 1
        assert (row.capital, row.expected_income) == (
            row.lots * unit.capital, row.lots * unit.income,
        )  # fmt: skip
        loss = unit.proposal.risk.max_loss
        assert row.max_loss == (None if loss is None else row.lots * loss)
        others = [other for other in plan.rows if other is not row]
        room = _room(others, whole, setting, unit)
        assert room is not None
        assert row.lots <= room
    for refusal in plan.refused:
        unit = units[refusal.strategy_id]
        room = _room(plan.rows, whole, setting, unit)
        assert room is None or room < 1 + Fraction(1, min(unit.capital, unit.at_risk or 10**9))
        assert refusal.reason.removeprefix("no lot fits: ").split(";")[0] in plan.binding
    assert plan.capital == whole
    assert plan.cash_left == whole - sum(row.capital for row in plan.rows) >= 0
    assert plan.expected_income == sum(row.expected_income for row in plan.rows)
    assert plan.target_income == round(Fraction(whole, 25))


@given(numbered, st.integers(1, 10**6))
@settings(deadline=None)
def test_the_same_candidates_give_the_same_plan(rows, capital):
    assert plan_of(rows, capital) == plan_of(rows, capital)


@given(numbered, st.integers(1, 10**6), st.integers(2, 50))
@settings(deadline=None)
def test_more_capital_never_gives_the_first_candidate_less(rows, capital, times):
    assume(rows)

    def lots(rupees):
        plan = plan_of(rows, rupees)
        return {row.strategy_id: row.lots for row in plan.rows}.get("S000", 0)

    assert lots(capital) * times <= lots(capital * times)


def test_the_limits_of_the_settings_are_those_of_the_file():
    allocation = SETTINGS.allocation
    tiers_of = allocation.tiers
    assert tiers_of.income + tiers_of.momentum + tiers_of.volatility == pytest.approx(1)
    assert allocation.max_loss_per_trade <= allocation.max_per_symbol <= allocation.max_per_sector
