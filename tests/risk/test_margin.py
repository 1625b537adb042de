"""The margin estimate against worked losses, bounds and the shape of SPAN."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.risk.margin import HOW, margins
from strikeloom.risk.parameters import span_parameters

DAY = date(2026, 2, 11)
# of an index that the clearing corporation's file does not have: its range follows volatility
INDEX = span_parameters(InstrumentKind.INDEX, "NIFTYFPI", DAY)
STOCK = span_parameters(InstrumentKind.STOCK, "RELIANCE", DAY)


def _margin(legs, *, forward=25000.0, vol=0.15, years=20 / 365, parameters=INDEX):
    """Legs as (strike, is_call, units)."""
    strikes, calls, units = (np.array([column]) for column in zip(*legs, strict=True))
    found = margins(
        strikes.astype(float), calls.astype(bool), units.astype(float),
        np.array([forward]), np.array([vol]), np.array([years]), parameters,
    )  # fmt: skip
    return float(found[0])


def _black(forward, strike, years, vol, is_call):
    deviation = vol * years**0.5
    d1 = np.log(forward / strike) / deviation + deviation / 2
    sign = 1 if is_call else -1
    return sign * (forward * norm.cdf(sign * d1) - strike * norm.cdf(sign * (d1 - deviation)))


def test_a_naked_short_put_is_the_worst_of_sixteen_scenarios_plus_exposure():
    """Scenario table of the SPAN methodology, priced here with the textbook formula."""
    forward, strike, years, vol, units = 25000.0, 24500.0, 20 / 365, 0.15, 65
    now = _black(forward, strike, years, vol, is_call=False)
    reach = (
        8.485 * 0.20 / 250**0.5
    )  # 6 x root of 2 deviations: a calm chain is scanned as if at 20 %: above 10 %
    moves = [(m / 3, v, 1.0) for m in range(-3, 4) for v in (1, -1)] + [(2, 0, 0.35), (-2, 0, 0.35)]
    assert len(moves) == 16
    losses = []
    for move, turn, share in moves:
        level = forward * (1 + move * reach)
        shocked = max(0.01, vol + turn * INDEX.vol_scan)
        losses.append(share * (_black(level, strike, years, shocked, is_call=False) - now))
    expected = units * (max(losses) + now + INDEX.exposure * forward)
    assert _margin([(strike, False, -units)]) == pytest.approx(expected, rel=1e-9)


def test_a_naked_index_short_is_of_the_size_brokers_ask():
    """Public calculators ask 10 to 18 % of the notional for a short option at the money."""
    share = _margin([(25000, True, -65)]) / (25000 * 65)
    assert 0.10 < share < 0.18
    share = _margin([(1400, False, -500)], forward=1400.0, vol=0.28, parameters=STOCK) / (
        1400 * 500
    )
    assert 0.15 < share < 0.35


legs = st.lists(
    st.tuples(
        st.integers(200, 300).map(lambda n: n * 100),
        st.booleans(),
        st.sampled_from([-130, -65, 65, 130]),
    ),
    min_size=1,
    max_size=4,
)
vols = st.floats(0.05, 0.8)


@given(legs, vols, st.floats(0, 0.5))
def test_bought_options_need_none_and_sold_ones_always_some(structure, vol, years):
    needed = _margin(structure, vol=vol, years=years)
    if all(units > 0 for *_, units in structure):
        assert needed == 0
    else:
        sold = -sum(units for *_, units in structure if units < 0)
        assert needed >= INDEX.exposure * 25000 * sold * (1 - 1e-12)


@given(legs, vols, st.floats(0.01, 0.5))
def test_it_grows_with_the_size_in_proportion(structure, vol, years):
    twice = [(strike, call, 2 * units) for strike, call, units in structure]
    assert _margin(twice, vol=vol, years=years) == pytest.approx(
        2 * _margin(structure, vol=vol, years=years), rel=1e-9, abs=1e-6
    )


@given(legs, legs, vols)
def test_holding_two_structures_together_never_needs_more_than_apart(one, other, vol):
    """SPAN's losses are those of the whole; only the short's premium is no asset."""
    if all(units > 0 for *_, units in one) or all(units > 0 for *_, units in other):
        return
    apart = _margin(one, vol=vol) + _margin(other, vol=vol)
    assert _margin(one + other, vol=vol) <= apart + 1e-6


@given(
    st.integers(210, 280).map(lambda n: n * 100),
    st.integers(1, 30).map(lambda n: n * 100),
    st.booleans(),
    vols,
)
def test_a_defined_risk_never_needs_more_than_its_width_and_the_exposure(short, width, call, vol):
    """A vertical can lose its width at most; the scenarios never claim more."""
    hedge = short + width if call else short - width
    needed = _margin([(short, call, -65), (hedge, call, 65)], vol=vol)
    far = abs(short / 25000 - 1) > 0.10 and (short > 25000) == call
    exposure = 0.05 if far else INDEX.exposure
    assert needed <= 65 * (width + exposure * 25000) + 1e-6
    naked = _margin([(short, call, -65)], vol=vol)
    assert needed <= naked + 1e-6


def test_an_iron_condor_pays_for_one_side():
    put = [(24000, False, -65), (23800, False, 65)]
    call = [(26000, True, -65), (26200, True, 65)]
    both = _margin(put + call)
    scenario_part = both - INDEX.exposure * 25000 * 130
    assert scenario_part <= 65 * 200 + 1e-6


def test_a_short_that_expires_today_bears_the_extra():
    leg = [(25000, True, -65)]
    last_day = _margin(leg, years=0.0)
    assert INDEX.expiry_extra == 0.02  # of the notional, since 2024-11-20
    extra = [
        span_parameters(InstrumentKind.INDEX, "NIFTYFPI", date(2024, 11, day)).expiry_extra
        for day in (19, 20)
    ]
    assert extra == [0, 0.02]
    eve = _margin(leg, years=1 / 365)
    assert last_day == pytest.approx(eve + 0.02 * 25000 * 65)


def test_far_and_long_shorts_bear_more_exposure():
    """2 %, and 3 % more beyond 10 % out of the money or nine months."""
    near, far = [(27400, True, -65), (27500, True, 65)], [(27600, True, -65), (27500, True, 65)]
    notional = 25000 * 65
    assert _margin(far) - _margin(near) == pytest.approx(0.03 * notional, abs=65 * 100)
    year = [(25000, True, -65), (25000, True, 65)]
    assert _margin(year, years=1.0) == pytest.approx(0.05 * notional)
    assert _margin(year, years=0.7) == pytest.approx(0.02 * notional)


def test_volatile_markets_have_a_wider_scan():
    """Six daily deviations, times the root of two days: 13.4 % at 25 %, against 10 % at least."""
    deep = [(25000 - 6000, False, -65), (25000 - 6000, False, 65), (25000, True, -65)]
    forward, vol, units, time = 25000.0, 0.25, 65, 1 / 365
    reach = 6 * 2**0.5 * vol / 250**0.5
    assert reach == pytest.approx(0.134, abs=5e-4)
    worst = _black(forward * (1 + reach), 25000, time, vol * 1.25, is_call=True)
    expected = units * (worst + 0.02 * forward + 0.05 * forward)
    assert _margin(deep, vol=vol, years=time) == pytest.approx(expected, rel=1e-3)


def test_exposure_of_a_volatile_stock_follows_its_deviation():
    """3.5 % at least by rule, 5 % here, or one and a half daily deviations."""
    pair = [(1400, False, -500), (1400, False, 500)]
    calm = _margin(pair, forward=1400.0, vol=0.3, parameters=STOCK)
    wild = _margin(pair, forward=1400.0, vol=0.8, parameters=STOCK)
    assert calm == pytest.approx(0.05 * 1400 * 500)
    assert wild == pytest.approx(1.5 * 0.8 / 250**0.5 * 1400 * 500)


# figures of others


@pytest.mark.realdata
def test_no_recorded_answer_of_the_broker_is_higher(shared_data):
    """Dhan's calculator as recorded: what is bought is paid in full, and nothing else."""
    import json

    ratios = {}
    for name in ("base_api__margin_calculator", "models__margin"):
        recorded = json.loads((shared_data / "dhan_api" / f"{name}.json").read_text())
        asked = json.loads(recorded["request_body"])
        answer = recorded["response_body"]
        assert (asked["transactionType"], answer["spanMargin"]) == ("BUY", 0.0)
        ours = asked["quantity"] * asked["price"] + _margin([(asked["price"], True, 1.0)])
        ratios[name] = ours / answer["totalMargin"]
    assert all(ratio >= 1.0 for ratio in ratios.values()), ratios
    assert max(ratios.values()) == pytest.approx(1.0)


def test_a_reversed_condor_on_its_last_day_as_a_broker_asked():
    """Rs 31,522 for one lot of 15 on BANKNIFTY, autumn 2024 (tradingqna.com, topic 172759)."""
    legs = [(51500, True, 15), (51700, True, -15), (51100, False, 15), (50900, False, -15)]
    before = span_parameters(InstrumentKind.INDEX, "NIFTYFPI", date(2024, 11, 19))
    premium = 15 * (32 - 14.3 + 15.05 - 7.35)
    needed = _margin(legs, forward=51365.7, vol=0.2, years=0.0, parameters=before) + premium
    assert needed == pytest.approx(31522, rel=0.02)


@pytest.mark.parametrize(("short", "hedge"), [(24500, 24400), (24000, 23500), (24800, 24750)])
def test_a_credit_spread_as_a_broker_rules_of_thumb(short, hedge):
    """Width of the spread, and 2 % of the notional (tradingqna.com, topic 78211)."""
    needed = _margin([(short, False, -75), (hedge, False, 75)])
    thumb = 75 * (short - hedge + 0.02 * 25000)
    assert 0.97 * thumb - 75 * 20 <= needed <= thumb


def test_padding_changes_nothing_and_a_batch_is_its_rows():
    one = [(24000, False, -65), (23800, False, 65)]
    padded = [*one, (0.0, False, 0), (25000, True, 0)]
    assert np.isfinite(_margin(padded))
    assert _margin(padded) == pytest.approx(_margin(one))
    rng = np.random.default_rng(1)
    n = 300
    strikes = rng.integers(200, 300, (n, 4)) * 100.0
    calls, units = rng.random((n, 4)) < 0.5, rng.choice([-65.0, 0.0, 65.0], (n, 4))
    forward, vol, years = rng.uniform(2e4, 3e4, n), rng.uniform(0.1, 0.5, n), rng.uniform(0, 0.3, n)
    batch = margins(strikes, calls, units, forward, vol, years, INDEX)
    for row in range(0, n, 37):
        alone = _margin(
            list(zip(strikes[row], calls[row], units[row], strict=True)),
            forward=forward[row], vol=vol[row], years=years[row],
        )  # fmt: skip
        assert batch[row] == pytest.approx(alone)


def test_parameters_are_dated_and_labelled():
    with pytest.raises(DataError, match="no margin parameters"):
        span_parameters(InstrumentKind.INDEX, "NIFTYFPI", date(1999, 1, 1))
    assert "estimate" in HOW


@pytest.mark.parametrize(
    "bad", [{"forward": np.nan}, {"forward": 0.0}, {"vol": np.inf}, {"years": np.nan}]
)
def test_figures_that_are_none_are_refused(bad):
    with pytest.raises(DataError, match=r"structure 0 .* finite"):
        _margin([(25000, True, -65)], **bad)


def test_no_structures_need_nothing():
    none = np.zeros((0, 2))
    assert margins(none, none > 0, none, *(np.zeros(0),) * 3, INDEX).shape == (0,)
