"""The sixteen scenarios one by one: figures worked by hand, and a plain loop over the table."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from itertools import product
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.risk import margin
from strikeloom.risk.margin import MarginParts, margin_parts, margins
from strikeloom.risk.margin_legs import MarginLegs
from strikeloom.risk.parameters import SpanParameters, span_parameters
from support.span_reference import TABLE, changes_of, reference, textbook_price

# of an index that the clearing corporation's file does not have: its range follows volatility
INDEX = span_parameters(InstrumentKind.INDEX, "NIFTYFPI", date(2026, 2, 11))
FORWARD = 25_000.0


def parts_of(
    structures, forward=FORWARD, vol=0.15, scan_vol=None, parameters=INDEX, vols=None, **given
):
    """Margin by component of structures of (strike, call, units, years), padded to one length."""
    longest = max(len(legs) for legs in structures)
    padded = [[*legs, *[(0.0, False, 0, 0.0)] * (longest - len(legs))] for legs in structures]
    strikes, calls, units, years = (
        np.array([[leg[at] for leg in legs] for legs in padded]) for at in range(4)
    )
    shape = units.shape
    legs = MarginLegs(
        strikes.astype(float), calls.astype(bool), units.astype(float),
        np.full(shape, forward), np.full(shape, vol) if vols is None else vols, years.astype(float),
        np.full(shape, np.nan), np.zeros(shape), np.zeros(shape, dtype=bool),
    )  # fmt: skip
    scan_vol = max(vol, parameters.base_vol) if scan_vol is None else scan_vol
    return margin_parts(replace(legs, **given), np.full(len(structures), scan_vol), parameters)


def _agree(structures, **figures):
    parameters = figures.get("parameters", INDEX)
    found = parts_of(structures, **figures)
    for row, legs in enumerate(structures):
        expected = reference(
            legs, figures.get("forward", FORWARD), figures.get("vol", 0.15), parameters,
            figures.get("scan_vol"),
        )  # fmt: skip
        for name, amount in expected.items():
            ours = getattr(found, name)[row]
            assert ours == pytest.approx(amount, rel=1e-9, abs=1e-5), (legs, name)
        assert found.delivery[row] == 0


# worked by hand


@pytest.mark.parametrize(
    ("strike", "call"),
    [(28_000, True), (22_000, False)],
)
def test_a_far_option_sold_is_worst_in_an_extreme_move_of_which_35_percent_count(strike, call):
    """A day to go, so only intrinsic value counts.

    Scan range 8.485 x 20 % / root of 250 = 10.7328 %, twice that 21.4656 %: the index moves by
    5,366.41 to 2,366.41 beyond the strike. 35 % of it is 828.24; at the whole range the option
    is still out of the money by 317 and costs less than 60. Exposure is 5 %, 12 % out.
    """
    found = parts_of([[(strike, call, -65, 1 / 365)]])
    assert found.scan[0] == pytest.approx(65 * 828.24, rel=1e-5)
    assert found.exposure[0] == pytest.approx(65 * 1_250)


def test_an_extreme_move_leaves_volatility_as_it_is():
    """30 days to go: half way to the strike in an extreme move, volatility of its own counts."""
    strike, years = 31_000.0, 30 / 365
    level = FORWARD * (1 + 2 * 8.485 * 0.20 / sqrt(250))
    before, after = (textbook_price(f, strike, years, 0.15, call=True) for f in (FORWARD, level))
    found = parts_of([[(strike, True, -65, years)]])
    assert found.scan[0] == pytest.approx(65 * (0.35 * (after - before) + before), rel=1e-9)


def test_a_total_is_the_sum_of_its_components():
    names = [field.name for field in fields(MarginParts)]
    parts = MarginParts(*(np.array([10.0**at]) for at in range(len(names))))
    assert parts.total.tolist() == [11_111.0]


# the table


def _butterflies():
    """Sold butterflies: the worst move is the one nearest to the middle strike."""
    centres = np.arange(-0.30, 0.301, 0.0125)
    for centre, width, years in product(centres, (0.008, 0.02, 0.05), (1 / 365, 0.02, 0.1)):
        low, middle, high = (round(FORWARD * (1 + centre + k * width), 2) for k in (-1, 0, 1))
        yield [(low, True, -65, years), (middle, True, 130, years), (high, True, -65, years)]


def test_each_scenario_is_the_worst_of_some_structure():
    structures = list(_butterflies())
    worst = set()
    for legs in structures:
        changes = changes_of(legs, FORWARD, 0.15, 0.20, INDEX)
        # only where no other scenario comes near: it alone decides the margin
        first, second = sorted(changes)[:2]
        if second - first > 100:
            worst.add(changes.index(first))
    missing = set(range(16)) - worst
    assert not missing, [TABLE[at] for at in missing]
    _agree(structures)


strikes = st.integers(170, 330).map(lambda n: n * 100.0)
units = st.sampled_from([-130, -65, 65, 130])
years = st.sampled_from([0.0, 1 / 365, 7 / 365, 0.1, 0.5, 0.7499, 0.7501, 1.2])
legs_of_one = st.tuples(st.lists(st.tuples(strikes, st.booleans(), units), min_size=1, max_size=5),
                        years).map(lambda p: [(*leg, p[1]) for leg in p[0]])  # fmt: skip
legs_of_many = st.lists(st.tuples(strikes, st.booleans(), units, years), min_size=2, max_size=6)
vols = st.sampled_from([0.005, 0.04, 0.15, 0.19, 0.3, 0.9])
kinds = st.sampled_from(
    [
        INDEX,
        # calendars on the last day
        span_parameters(InstrumentKind.INDEX, "NIFTYFPI", date(2024, 11, 25)),
        span_parameters(InstrumentKind.STOCK, "RELIANCE", date(2026, 2, 11)),
        span_parameters(InstrumentKind.STOCK, "RELIANCE", date(2026, 5, 11)),
    ]
)


@given(st.lists(legs_of_one, min_size=1, max_size=3), vols, kinds)
@settings(deadline=None, max_examples=80)
def test_legs_of_one_expiry_agree_with_the_plain_loop(structures, vol, parameters):
    _agree(structures, vol=vol, parameters=parameters)


@given(st.lists(legs_of_many, min_size=1, max_size=3), vols, kinds)
@settings(deadline=None, max_examples=80)
def test_legs_of_several_expiries_agree_with_the_plain_loop(structures, vol, parameters):
    _agree(structures, vol=vol, parameters=parameters)


@given(legs_of_one, st.sampled_from([0.05, 0.18, 0.186, 0.19, 0.5, 2.5]))
@settings(deadline=None, max_examples=60)
def test_the_range_follows_the_volatility_of_the_underlying(legs, scan_vol):
    """At least 10 %, which is 18.63 % a year; no level falls below a hundredth."""
    _agree([legs], scan_vol=scan_vol)


def test_exposure_is_higher_from_the_first_step_beyond_the_limit():
    """Within 10 % of the level and nine months a sold option bears 2 %."""
    for strike, call, time, share in (
        (27_499, True, 0.1, 0.02), (27_501, True, 0.1, 0.05),
        (22_501, False, 0.1, 0.02), (22_499, False, 0.1, 0.05),
        (25_000, True, 0.75, 0.02), (25_000, True, 0.751, 0.05),
    ):  # fmt: skip
        found = parts_of([[(strike, call, -65, time)]])
        assert found.exposure[0] == pytest.approx(share * 65 * FORWARD), (strike, time)


def test_a_batch_cut_in_slices_is_the_same():
    """However many legs are calculated at once, each structure has its own margin."""
    rng = np.random.default_rng(3)
    structures = [
        [(float(rng.integers(200, 300) * 100), bool(rng.random() < 0.5),
          int(rng.choice([-65, 65])), float(rng.choice([0.02, 0.1]))) for _ in range(4)]
        for _ in range(23)
    ]  # fmt: skip
    whole = parts_of(structures)
    for most in (1, 4, 9, 40, 92):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(margin, "_LEGS", most)
            cut = parts_of(structures)
        for field in fields(MarginParts):
            assert getattr(cut, field.name) == pytest.approx(getattr(whole, field.name), abs=1e-5)


@pytest.mark.parametrize(
    ("most", "legs", "sizes"),
    [
        (12, 4, [12, 12, 12, 12, 12, 12, 12, 8]),  # three structures at once
        (3, 4, [4] * 23),  # one at least
        (3, 1, [3, 3, 3, 3, 3, 3, 3, 2]),
    ],
)
def test_no_more_legs_are_calculated_at_once_than_memory_allows(monkeypatch, most, legs, sizes):
    taken = []

    def noted(batch, *rest):
        taken.append(batch.units.size)
        return one_batch(batch, *rest)

    one_batch = margin._batch
    monkeypatch.setattr(margin, "_LEGS", most)
    monkeypatch.setattr(margin, "_batch", noted)
    parts_of([[(25_000.0, True, -65, 0.02)] * legs] * 23)
    assert taken == sizes


@pytest.mark.parametrize(
    ("strike", "call", "forward", "share"),
    [
        (27_500, True, 25_000.0, 0.02),  # 10 % above to the paisa
        (22_500, False, 25_000.0, 0.02),
        (1_540, True, 1_400.0, 0.02),
        (27_500, True, 24_999.95, 0.05),  # the level is a tick lower
        (22_500, False, 25_000.05, 0.05),
    ],
)
def test_an_option_at_the_limit_itself_is_not_beyond_it(strike, call, forward, share):
    """NSE Clearing: 3 % more for options *more than* 10 % out of the money."""
    found = parts_of([[(strike, call, -65, 0.1)]], forward=forward)
    assert found.exposure[0] == pytest.approx(share * 65 * forward, rel=1e-9)


# what no scenario can change


def test_what_is_only_bought_needs_none_however_it_is_valued():
    """Bought at 500 by the model and marked at 1, one expiry or two: the premium is all there is.

    Fresh prices far below the model's value leave a scan loss above the value; it is not asked.
    """
    calls = [(25_000.0, True, 65, 0.1), (25_500.0, True, 65, 0.1)]
    dates = [(25_000.0, True, 65, 0.1), (25_000.0, True, 65, 0.2)]
    marked = np.full((1, 2), 1.0)
    for legs in (calls, dates):
        found = parts_of([legs], value=marked)
        assert found.total.tolist() == [0.0]
        assert found.calendar.tolist() == [0.0]


def test_one_sold_leg_among_bought_ones_is_enough_to_need_margin():
    """Of the structures of a batch, those with a sold leg, by themselves."""
    sold = (26_000.0, True, -65, 0.1)
    bought = (25_000.0, True, 65, 0.1)
    found = parts_of([[bought, bought], [bought, (23_000.0, False, -650, 0.1)], [sold, bought]])
    assert found.total[0] == 0
    assert found.scan[1] > 0
    assert found.exposure.tolist() == pytest.approx([0, 0.02 * 650 * FORWARD, 0.02 * 65 * FORWARD])


def test_the_same_bought_and_sold_bears_its_exposure_and_nothing_else():
    """No scenario changes what is worth nothing: not a rupee of scan, in one expiry or two."""
    one = [(25_000.0, True, -65, 0.1), (25_000.0, True, 65, 0.1)]
    two = [*one, (25_500.0, True, -65, 0.2), (25_500.0, True, 65, 0.2)]
    found = parts_of([one, [*one, *one], two])
    assert found.scan == pytest.approx([0, 0, 0], abs=1e-6)
    assert found.calendar == pytest.approx([0, 0, 0], abs=1e-6)
    assert found.exposure == pytest.approx([65 * 500, 130 * 500, 130 * 500])


def _gaining(years):
    """Legs that gain in every scenario, of which the sold one is owed at 2 rupees a unit.

    At half a per cent of volatility both volatility moves are up (to 5.5 %, and to the least of
    1 %), so call and put bought at the money gain even where the price stays; where it moves, one
    of them gains more than the other can lose. The sold call at four times the level is worth
    nothing in all of them.
    """
    bought = [(25_000.0, True, 65, years), (25_000.0, False, 65, years)]
    return [*bought, (100_000.0, True, -65, years)], [0.0, 0.0, 2.0]


def test_a_gain_in_every_scenario_is_no_asset():
    """What is owed stays owed to the rupee: 65 x 2 for each expiry."""
    near, worth = _gaining(0.02)
    far, _ = _gaining(0.05)
    figures = {"vol": 0.005, "scan_vol": 0.2}
    one = parts_of([near], value=np.array([worth]), **figures)
    two = parts_of([[*near, *far]], value=np.array([worth * 2]), **figures)
    assert one.scan.tolist() == pytest.approx([65 * 2.0])
    assert two.scan.tolist() == pytest.approx([2 * 65 * 2.0])
    assert two.calendar.tolist() == pytest.approx([0.0], abs=1e-9)  # both are bought: no spread


def test_a_value_above_every_loss_leaves_no_margin_but_the_exposure():
    """Deep in the money by 10,000 and sold 1,000 out: worth more than any move can take.

    In two expiries neither asks for anything, so there is nothing to offset nor to charge.
    """
    for far in (0.1, 0.2):
        found = parts_of([[(15_000.0, True, 130, 0.1), (26_000.0, True, -65, 0.1),
                           (15_000.0, True, 130, far), (26_000.0, True, -65, far)]])  # fmt: skip
        assert (found.scan[0], found.calendar[0]) == (0.0, 0.0)
        assert found.exposure[0] == pytest.approx(2 * 65 * 500)


def test_single_units_are_legs_like_any_others():
    """A unit bought or sold beside others counts; 65 of each need 65 times as much."""
    spread = [(25_000.0, True, -1, 0.1), (25_200.0, True, 1, 0.1)]
    mirror = [(25_200.0, True, 1, 0.1), (25_000.0, True, -1, 0.1)]
    lots = [(strike, call, 65 * units, years) for strike, call, units, years in spread]
    found = parts_of([spread, mirror, lots])
    assert found.total[0] == pytest.approx(found.total[1])
    assert 65 * found.total[0] == pytest.approx(found.total[2])


def test_the_extra_of_the_last_day_is_of_the_legs_that_end():
    """2 % of one sold leg of 65 today; nothing for the two that are sold for later."""
    legs = [(25_000.0, True, -65, 0.0), (25_500.0, True, -65, 0.02), (24_000.0, False, -65, 1.0)]
    assert parts_of([legs]).expiry_extra[0] == pytest.approx(0.02 * 65 * FORWARD)
    assert parts_of([legs[1:]]).expiry_extra[0] == 0


def test_a_stock_that_ends_lacks_what_scan_and_exposure_leave_of_two_fifths():
    """40 % of 1,400 x 500 is 2,80,000; a call at 2,100 has no scan loss, its exposure is 5.25 %."""
    stock = span_parameters(InstrumentKind.STOCK, "RELIANCE", date(2026, 2, 11))
    far = parts_of([[(2_900.0, True, -500, 0.0)]], forward=1_400.0, parameters=stock)
    assert far.exposure[0] == pytest.approx(0.0525 * 700_000)
    assert far.expiry_extra[0] == pytest.approx(280_000 - 0.0525 * 700_000)
    # sold 700 in the money, its 700 a unit owed: more than two fifths, nothing lacks
    deep = parts_of([[(700.0, True, -500, 0.0)]], forward=1_400.0, parameters=stock)
    assert deep.scan[0] > 350_000
    assert deep.expiry_extra[0] == 0
    # bought for later beside it: of what is sold alone
    pair = parts_of([[(2_900.0, True, -500, 0.0), (2_900.0, True, 500, 0.1)]], forward=1_400.0,
                    parameters=stock)  # fmt: skip
    assert pair.total[0] == pytest.approx(280_000, rel=1e-6)


# values and deliveries given


def test_a_market_price_replaces_the_model_price_leg_by_leg():
    """Sold at 900 against a model value of 337: each rupee more is one more to buy back."""
    leg = [(25_000.0, True, -65, 20 / 365), (26_000.0, True, 65, 20 / 365)]
    plain = parts_of([leg])
    dear = parts_of([leg], value=np.array([[900.0, np.nan]]))
    model = textbook_price(FORWARD, 25_000.0, 20 / 365, 0.15, call=True)
    assert dear.scan[0] - plain.scan[0] == pytest.approx(65 * (900 - model), rel=1e-9)


@pytest.mark.parametrize(
    ("strike", "call", "units", "delivery"),
    [
        (24_000.0, True, 65, 0.4 * 65 * 24_000),
        (25_000.0, True, 65, 0),  # at the money: no shares
        (26_000.0, True, 65, 0),
        (26_000.0, False, 65, 0.4 * 65 * 26_000),
        (24_000.0, False, 65, 0),
        (24_000.0, True, -65, 0),  # of what is bought
        (24_999.5, True, 65, 0.4 * 65 * 24_999.5),  # by half a rupee
        (25_000.5, True, 65, 0),
        (25_000.5, False, 65, 0.4 * 65 * 25_000.5),
        (24_000.0, True, 1, 0.4 * 24_000),  # a single share
    ],
)
def test_a_delivery_is_of_the_strike_of_what_is_bought_in_the_money(strike, call, units, delivery):
    found = parts_of([[(strike, call, units, 0.02)]], delivery=np.array([[0.4]]))
    assert found.delivery[0] == pytest.approx(delivery)


@pytest.mark.parametrize(
    ("bad", "figure"),
    [
        ("strikes", np.nan), ("strikes", 0.0), ("strikes", -1.0), ("strikes", np.inf),
        ("forward", 0.0), ("forward", -1.0), ("forward", np.nan), ("forward", np.inf),
        ("vol", np.nan), ("vol", np.inf), ("years", np.inf), ("value", np.inf), ("units", np.inf),
    ],
)  # fmt: skip
@pytest.mark.parametrize("units", [-65, 1, -1])
def test_the_first_row_with_an_unusable_figure_is_named(bad, figure, units):
    fine = [(25_000.0, True, units, 0.02)]
    table = {
        "strikes": 25_000.0, "forward": FORWARD, "vol": 0.15, "years": 0.02, "units": -65.0,
        "value": 300.0,
    }  # fmt: skip
    column = np.full((3, 1), table[bad])
    column[1] = figure
    with pytest.raises(DataError, match="structure 1 ") as caught:
        parts_of([fine] * 3, scan_vol=0.2, **({"vols": column} if bad == "vol" else {bad: column}))
    assert caught.value.facts["row"] == 1


def test_one_unusable_leg_beside_a_sound_one_is_noticed_and_padding_is_not_looked_at():
    legs = [(25_000.0, True, -65, 0.02), (25_500.0, True, 65, 0.02)]
    for at in (0, 1):
        column = np.full((1, 2), FORWARD)
        column[0, at] = np.nan
        with pytest.raises(DataError, match="structure 0 "):
            parts_of([legs], forward=FORWARD, strikes=column)
    unused = [legs[0], (0.0, False, 0, 0.0)]
    assert parts_of([unused]).total == pytest.approx(parts_of([legs[:1]]).total)


def test_deliveries_of_several_legs_are_added_row_by_row():
    legs = [(24_000.0, True, 65, 0.02), (26_000.0, False, 130, 0.02)]
    shares = np.array([[0.4, 0.1], [1.0, 0.0]])
    found = parts_of([legs, legs], delivery=shares)
    assert found.delivery.tolist() == pytest.approx(
        [0.4 * 65 * 24_000 + 0.1 * 130 * 26_000, 65 * 24_000]
    )


def test_a_volatility_of_the_underlying_that_is_none_is_refused():
    with pytest.raises(DataError, match="structure 0 "):
        parts_of([[(25_000.0, True, -65, 0.02)]], scan_vol=np.nan)


@pytest.mark.parametrize("units", [-65, -1])
def test_small_levels_and_prices_are_usable(units):
    found = parts_of([[(0.5, True, units, 0.02)]], forward=0.5, value=np.array([[0.0]]))
    assert found.scan[0] > 0
    assert found.exposure[0] == pytest.approx(0.02 * 0.5 * -units)


def test_structures_without_legs_need_nothing():
    none = np.zeros((3, 0))
    flat = np.full(3, 0.2)
    assert margins(none, none > 0, none, flat * 100, flat, flat, INDEX).tolist() == [0, 0, 0]


def test_each_parameter_is_read_from_its_column():
    """The row of NSE Clearing's rules for an index, column by column."""
    published = SpanParameters(
        price_scan=0.10, scan_sigmas=8.485, vol_scan=0.05, vol_share=0.25, exposure=0.02,
        exposure_sigmas=0, far_exposure=0.05, far_moneyness=0.10, far_years=0.75,
        expiry_extra=0.02, expiry_least=0, calendar_charge=0.0175, calendar_last_day=0,
        base_vol=0.20, spread_exposure=0.3333333333,
    )  # fmt: skip
    assert published == INDEX
