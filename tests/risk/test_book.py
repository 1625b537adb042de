"""Books over several expiries and underlyings: what may offset what, and on which day."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from strikeloom.domain.instruments import InstrumentKind, Right
from strikeloom.errors import NoQuote
from strikeloom.risk import share_parameters
from strikeloom.risk.book import BookMargin, book_margins
from strikeloom.risk.parameters import span_parameters
from strikeloom.risk.share_parameters import delivery_share
from support.fakes import ist, option
from support.span_reference import reference, textbook_price

NEAR, FAR = date(2026, 2, 24), date(2026, 3, 30)
LEVELS = {"NIFTY": 25_000_00, "RELIANCE": 1_400_00}
NOW = ist("2026-02-11 10:00")


def need(book, now=NOW, levels=LEVELS, marks=None):
    (found,) = book_margins([book], levels, marks or {}, now)
    return found


def nifty(strike, right=Right.CALL, expiry=NEAR):
    return option(strike, right, expiry=expiry)


def reliance(strike, right=Right.CALL, expiry=NEAR):
    return option(
        strike, right, expiry=expiry, symbol="RELIANCE", kind=InstrumentKind.STOCK, lot=500
    )


def _call(forward, strike, years, vol):
    deviation = vol * years**0.5
    d1 = np.log(forward / strike) / deviation + deviation / 2
    return forward * norm.cdf(d1) - strike * norm.cdf(d1 - deviation)


def test_a_calendar_shares_the_price_move_but_not_the_volatility_move():
    """Textbook formula: 10.73 % and 5 points, each expiry at its worst volatility move."""
    found = need({nifty(25000): -65, nifty(25000, expiry=FAR): 65})
    years = [(d - 1) / 365 + (5.5 / 24 + 24 / 24) / 365 for d in (13, 47)]
    forward, vol, units = 25000.0, 0.2, 65
    worth = [_call(forward, forward, t, vol) for t in years]
    reach = max(0.10, 6 * 2**0.5 * 0.2 / 250**0.5)
    losses = []
    for move, share, turns in [(m / 3, 1.0, (0.05, -0.05)) for m in range(-3, 4)] + [
        (2.0, 0.35, (0.0,)), (-2.0, 0.35, (0.0,)),
    ]:  # fmt: skip
        level = forward * (1 + move * reach)
        short = max(_call(level, forward, years[0], vol + t) - worth[0] for t in turns)
        long = min(_call(level, forward, years[1], vol + t) - worth[1] for t in turns)
        losses.append(share * (short - long))
    value = worth[1] - worth[0]
    deltas = [norm.cdf(vol * t**0.5 / 2) for t in years]
    charge = 0.0175 * min(deltas) * forward
    assert found.scan == pytest.approx(100 * units * max(0, max(losses) - value), rel=2e-3)
    assert found.calendar == pytest.approx(100 * units * charge, rel=2e-3)
    assert found.exposure == round(100 * units * 0.02 * forward)


def test_a_leg_on_its_last_day_offsets_nothing():
    """Index since 2025-02-10, stocks since 2026-05-05."""
    for instrument, later, dates in (
        (nifty, LEVELS, ("2025-02-06 10:00", "2025-02-13 10:00")),
        (reliance, LEVELS, ("2026-04-28 10:00", "2026-05-26 10:00")),
    ):
        benefit = []
        for text in dates:
            now = ist(text)
            expiring = instrument(1400 if instrument is reliance else 25000, expiry=now.date())
            month = instrument(
                1400 if instrument is reliance else 25000,
                expiry=now.date().replace(month=now.month + 1),
            )
            both = need({expiring: -500, month: 500}, now, later)
            alone = need({expiring: -500}, now, later)
            benefit.append(both.scan + both.calendar < alone.scan)
        assert benefit == [True, False]


def test_a_short_index_option_bears_more_on_its_last_day():
    day = ist("2026-02-24 10:00")
    found = need({nifty(25000): -65, nifty(25200): 65}, day)
    assert found.expiry_extra == round(0.02 * 25_000_00 * 65)
    assert need({nifty(25000): -65}).expiry_extra == 0
    assert need({reliance(1400): -500}).expiry_extra == 0


#: 6 daily deviations of 40 % a year, and 3.5 %: 18.68 % of the contract's value
RISK = 6 * 0.40 / 250**0.5 + 0.035


@pytest.mark.parametrize(
    ("day", "share"),
    [
        ("2026-02-17", 0.0), ("2026-02-18", 0.10 * RISK), ("2026-02-19", 0.25 * RISK),
        ("2026-02-20", 0.45 * RISK), ("2026-02-23", 0.70 * RISK), ("2026-02-24", 1.0),
    ],
)  # fmt: skip
def test_longs_that_near_their_delivery(day, share):
    """10, 25, 45, 70 % of the share's margin from four days before, the whole value on the last."""
    found = delivery_share(InstrumentKind.STOCK, NEAR, date.fromisoformat(day))
    assert found == pytest.approx(share)
    found = need({reliance(1300): 500, reliance(1500): 500}, ist(f"{day} 10:00"))
    assert found.delivery == pytest.approx(share * 1_300_00 * 500)  # the one in the money
    assert found.total == found.delivery
    put = need({reliance(1500, Right.PUT): 500}, ist(f"{day} 10:00"))
    assert put.delivery == pytest.approx(share * 1_500_00 * 500)
    assert need({nifty(24000): 65}, ist(f"{day} 10:00")).total == 0


def test_the_margin_before_delivery_beside_a_published_one():
    """Groww's help: 500 RELIANCE at 2,500, Rs 19,296 four days before (15.4 % of it is 100 %).

    The estimate has a volatility of 40 % where the share had 32 %: 21 % above, never below.
    """
    found = need({reliance(1300): 500}, ist("2026-02-18 10:00"))
    published = 19_296.17 / (2_500 * 500)
    ours = found.delivery / (1_300_00 * 500)
    assert published <= ours <= 1.25 * published


def test_options_that_net_off_bind_no_delivery():
    """1300/1350 calls in the money: what one receives the other delivers."""
    eve = ist("2026-02-23 10:00")
    both = {reliance(1300): 500, reliance(1350): -500}
    assert need(both, eve).delivery == 0
    half = {reliance(1300): 1000, reliance(1350): -500}
    assert need(half, eve).delivery == pytest.approx(0.70 * RISK * 1_300_00 * 500)


@pytest.mark.parametrize(
    ("expiry", "day", "share"),
    [
        ("2026-02-24", "2026-02-12", 0.0),  # twelve calendar days
        ("2026-02-24", "2026-02-25", 0.0),  # after it
        # Republic Day, Monday 2026-01-26: one trading day less between
        ("2026-01-27", "2026-01-23", 0.70 * RISK),
        ("2026-01-27", "2026-01-20", 0.10 * RISK),
        ("2026-01-27", "2026-01-19", 0.0),
        # a day off is as the session before it: the whole value is due on the last day only
        ("2026-01-27", "2026-01-26", 0.70 * RISK),
        ("2026-01-27", "2026-01-25", 0.70 * RISK),
        ("2026-03-30", "2026-03-29", 0.70 * RISK),
        ("2026-02-24", "2026-02-21", 0.45 * RISK),
    ],
)  # fmt: skip
def test_the_days_before_a_delivery_are_trading_days(expiry, day, share):
    asked = date.fromisoformat(expiry), date.fromisoformat(day)
    assert delivery_share(InstrumentKind.STOCK, *asked) == pytest.approx(share)
    assert delivery_share(InstrumentKind.INDEX, *asked) == 0


@pytest.mark.parametrize(
    ("day", "share"), [("2026-01-26", 1.0), ("2026-01-23", 1.0), ("2026-01-22", 0.70 * RISK)]
)
def test_an_expiry_on_a_holiday_ends_on_the_trading_day_before(day, share):
    """Republic Day, Monday 2026-01-26: Friday the 23rd is the last day to trade."""
    expiry = date(2026, 1, 26)
    found = delivery_share(InstrumentKind.STOCK, expiry, date.fromisoformat(day))
    assert found == pytest.approx(share)


def test_the_newest_ladder_in_force_counts(monkeypatch):
    """Of two rows for the last day the later one, from its own date on."""
    rows = tuple(
        {"days_before": "0", "effective_from": since, "percent": percent}
        for since, percent in (("2019-10-01", "100"), ("2026-01-01", "50"))
    )
    monkeypatch.setattr(share_parameters, "parameter_rows", {"delivery": rows}.get)
    share = delivery_share.__wrapped__  # what is read from the usual table is kept
    for expiry, expected in ((date(2025, 12, 30), 1.0), (NEAR, 0.5)):
        assert share(InstrumentKind.STOCK, expiry, expiry) == expected


def test_shares_are_delivered_since_the_rule_began():
    """The brokers' ladder is on record from 2019-10-01; the 2nd is a holiday."""
    first, last = date(2019, 10, 1), date(2019, 10, 3)
    risk = 3.5 * 0.40 / 250**0.5 + 0.05  # NSE/CMPT/6122, until the end of May 2020
    assert delivery_share(InstrumentKind.STOCK, last, first) == pytest.approx(0.70 * risk)
    expiry = date(2019, 9, 26)
    assert delivery_share(InstrumentKind.STOCK, expiry, date(2019, 9, 25)) == 0
    expiry = date(2019, 10, 31)
    assert delivery_share(InstrumentKind.STOCK, expiry, expiry) == 1


def test_a_mark_counts_more_than_the_model():
    """A short that trades dear would cost that much to buy back."""
    cheap = need({nifty(25000): -65}, marks={nifty(25000).key: 300_00})
    dear = need({nifty(25000): -65}, marks={nifty(25000).key: 900_00})
    assert dear.scan > cheap.scan
    assert dear.exposure == cheap.exposure


def test_bought_options_marked_below_the_model_need_none():
    """Nothing sold and nothing to deliver: the premium paid is all that can be lost."""
    bought = {reliance(1300): 500, reliance(1300, expiry=FAR): 500}
    marks = {instrument.key: 1_00 for instrument in bought}
    assert need(bought, ist("2026-02-11 10:00"), marks=marks) == BookMargin()
    eve = need(bought, ist("2026-02-23 10:00"), marks=marks)
    assert eve == BookMargin(delivery=round(0.70 * RISK * 1_300_00 * 500))


def test_a_call_ten_percent_out_of_the_money_bears_two_percent():
    """Exposure by NSE Clearing's rule: 5 % only beyond 10 %, here 27,500 of 25,000."""
    assert need({nifty(27500): -65}).exposure == 32_500_00
    assert need({nifty(27550): -65}).exposure == 81_250_00
    assert need({nifty(22500, Right.PUT): -65}).exposure == 32_500_00
    assert need({nifty(22450, Right.PUT): -65}).exposure == 81_250_00


def test_a_total_is_the_sum_of_its_components():
    assert BookMargin(1, 10, 100, 1_000, 10_000).total == 11_111
    assert BookMargin().total == 0


@pytest.mark.parametrize("right", Right)
def test_a_mark_gives_the_volatility_that_the_scenarios_move(right):
    """Prices of the textbook formula at 30 %, in paise; the price scan stays that of 20 %."""
    years, vol = (13 - 1) / 365 + (5.5 / 24 + 24 / 24) / 365, 0.30
    legs = [(24_000, right, -65), (26_000, right, 65), (27_000, right, -130)]
    contracts = [nifty(strike, side) for strike, side, _ in legs]
    priced = [
        (strike, side is Right.CALL, units, years) for strike, side, units in legs
    ]  # fmt: skip
    marks = {
        instrument.key: round(100 * textbook_price(25_000, strike, years, vol, call))
        for instrument, (strike, call, _, _) in zip(contracts, priced, strict=True)
    }
    book = {c: units for c, (_, _, units) in zip(contracts, legs, strict=True)}
    found = need(book, marks=marks)
    parameters = span_parameters(InstrumentKind.INDEX, "NIFTY", NOW.date())
    expected = reference(priced, 25_000.0, vol, parameters, scan_vol=0.20)
    assert found.scan == pytest.approx(100 * expected["scan"], rel=2e-4)
    assert found.exposure == round(100 * expected["exposure"])
    (alone,) = book_margins([{contracts[0]: -65}], LEVELS, marks, NOW)
    lone = reference(priced[:1], 25_000.0, vol, parameters, scan_vol=0.20)
    assert alone.scan == pytest.approx(100 * lone["scan"], rel=2e-4)


def test_components_are_paise_of_every_underlying_together():
    """Sold at the money: exposure 2 % of 25,000 x 65 and 5 % of 1,400 x 500; one is delivered."""
    eve = ist("2026-02-23 10:00")
    book = {nifty(25000): -65, reliance(1400): -500, reliance(1300): 500}
    found = need(book, eve)
    assert found.exposure == 32_500_00 + 35_000_00
    assert found.delivery == pytest.approx(0.70 * RISK * 1_300_00 * 500)
    index, stock = (need({c: n for c, n in book.items() if c.symbol == name}, eve)
                    for name in ("NIFTY", "RELIANCE"))  # fmt: skip
    for name in ("scan", "exposure", "expiry_extra", "calendar", "delivery"):
        assert getattr(found, name) == getattr(index, name) + getattr(stock, name)


def test_a_single_sold_unit_needs_margin():
    assert need({nifty(25000): -1}).exposure == 500_00  # 2 % of 25,000


def test_books_keep_their_order_whatever_they_hold():
    books = [{}, {reliance(1400): -500}, {nifty(25000): 65}, {nifty(25000): -65}, {}]
    found = book_margins(books, LEVELS, {}, NOW)
    assert [book.exposure for book in found] == [0, 35_000_00, 0, 32_500_00, 0]


def test_an_unknown_level_is_an_error_only_where_it_is_needed():
    with pytest.raises(NoQuote, match="no level of NIFTY"):
        need({nifty(25000): -65}, levels={})
    assert need({nifty(25000): 65}, levels={}).total == 0
    assert need({}).total == 0
    assert need({nifty(25000): 0}).total == 0


legs = st.dictionaries(
    st.builds(
        nifty,
        st.integers(230, 270).map(lambda n: n * 100),
        st.sampled_from(Right),
        st.sampled_from([NEAR, FAR, date(2026, 3, 3)]),
    )
    | st.builds(reliance, st.integers(12, 16).map(lambda n: n * 100), st.sampled_from(Right)),
    st.sampled_from([-1000, -500, 500, 1000]),
    max_size=7,
)
moments = st.sampled_from(["2026-02-11 10:00", "2026-02-23 15:00", "2026-02-24 10:00"]).map(ist)


@given(st.lists(legs, min_size=1, max_size=5), moments)
@settings(deadline=None, max_examples=60)
def test_many_books_at_once_are_each_by_itself(books, now):
    together = book_margins(books, LEVELS, {}, now)
    for book, found in zip(books, together, strict=True):
        alone = need(book, now)
        assert abs(alone.total - found.total) <= 10  # paise, of rounding part by part


@given(legs, moments)
@settings(deadline=None, max_examples=80)
def test_a_book_never_needs_more_than_its_expiries_one_by_one(book, now):
    parts = {}
    for instrument, net in book.items():
        parts.setdefault((instrument.symbol, instrument.expiry), {})[instrument] = net
    apart = sum(found.total for found in book_margins(list(parts.values()), LEVELS, {}, now))
    found = need(book, now)
    assert found.total <= apart + 100
    assert min(found.scan, found.exposure, found.calendar, found.delivery) >= 0


@given(legs, moments)
@settings(deadline=None, max_examples=80)
def test_what_is_sold_bears_its_exposure_whatever_hedges_it(book, now):
    found = need(book, now)
    sold = sum(-net * LEVELS[c.symbol] for c, net in book.items() if net < 0)
    assert found.exposure >= round(0.02 * sold) - 100
    assert sold or found.scan == 0
