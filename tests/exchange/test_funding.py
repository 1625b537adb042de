"""Which orders cash and margin cover."""

from dataclasses import replace
from datetime import date

import pytest

from strikeloom.adapters.sim import SimBroker
from strikeloom.domain.instruments import InstrumentKind, Right
from strikeloom.domain.orders import OrderState
from strikeloom.errors import Rejected
from support.fakes import CASH, ist, option, order

CALL, FAR = option(25000), option(25500)
LAKH = 1_00_000_00


@pytest.fixture
def poor(tmp_path, feed, clock):
    """Rs 1,00,000."""
    broker = SimBroker(tmp_path / "poor.db", feed, clock, LAKH)
    yield broker
    broker.close()


def test_a_premium_that_is_not_there_is_refused(poor, feed):
    feed.show(CALL, 79900, 80000)
    assert poor.submit(order("a", CALL, "BUY", 1, 80000)).state is OrderState.TRADED  # 52,000
    with pytest.raises(Rejected, match=r"needs ₹52,\d+\.\d\d of margin and premium, ₹47,"):
        poor.submit(order("b", CALL, "BUY", 1, 80000))


def test_a_resting_buy_ties_up_its_premium(poor, feed):
    feed.show(CALL, 79900, 80000)
    assert poor.submit(order("a", CALL, "BUY", 1, 79950)).state is OrderState.PENDING
    with pytest.raises(Rejected, match="needs"):
        poor.submit(order("b", CALL, "BUY", 1, 80000))


def test_a_naked_short_needs_margin(poor, feed):
    feed.show(CALL, 30000, 30100)
    with pytest.raises(Rejected, match="margin"):
        poor.submit(order("a", CALL, "SELL", 1, 30000))
    assert poor.positions() == []


def test_a_hedge_that_has_traded_lowers_the_margin(poor, feed):
    feed.show(CALL, 30000, 30100)
    feed.show(FAR, 11900, 12000)
    poor.submit(order("hedge", FAR, "BUY", 1, 12000))
    assert poor.submit(order("short", CALL, "SELL", 1, 30000)).state is OrderState.TRADED
    assert 0 < poor.funds().margin_used < LAKH


def test_a_hedge_that_rests_does_not(poor, feed):
    feed.show(CALL, 30000, 30100)
    feed.show(FAR, 11900, 12000)
    assert poor.submit(order("hedge", FAR, "BUY", 1, 11950)).state is OrderState.PENDING
    with pytest.raises(Rejected, match="margin"):
        poor.submit(order("short", CALL, "SELL", 1, 30000))


def test_a_hedge_cannot_be_sold_from_under_its_short(poor, feed):
    feed.show(CALL, 30000, 30100)
    feed.show(FAR, 11900, 12000)
    poor.submit(order("hedge", FAR, "BUY", 1, 12000))
    poor.submit(order("short", CALL, "SELL", 1, 30000))
    with pytest.raises(Rejected, match="margin"):
        poor.submit(order("naked", FAR, "SELL", 1, 11900))


def test_buying_back_a_short_is_carried_at_any_price(poor, feed, clock):
    feed.show(CALL, 30000, 30100)
    feed.show(FAR, 11900, 12000)
    poor.submit(order("hedge", FAR, "BUY", 1, 12000))
    poor.submit(order("short", CALL, "SELL", 1, 30000))
    clock.wait(60)
    feed.show(CALL, 400000, 400100)
    assert poor.submit(order("back", CALL, "BUY", 1, 400100)).state is OrderState.TRADED
    # but not more than was sold
    with pytest.raises(Rejected, match="needs"):
        poor.submit(order("more", CALL, "BUY", 1, 400100))


def test_two_resting_orders_do_not_both_buy_back_the_same_short(broker, feed, clock):
    feed.show(CALL, 30000, 30100)
    broker.submit(order("short", CALL, "SELL", 1, 30000))
    held = broker.funds()
    price = held.available // 65 // 5 * 5 + 5  # a lot costs a little more than is available
    clock.wait(60)
    feed.show(CALL, None, None)
    assert broker.submit(order("one", CALL, "BUY", 1, price)).state is OrderState.PENDING
    with pytest.raises(Rejected, match="needs"):
        broker.submit(order("two", CALL, "BUY", 1, price))


def test_other_underlyings_give_no_offset_and_later_expiries_do_until_the_last_day(
    broker, feed, clock
):
    later = option(25500, expiry=date(2026, 3, 30))
    other = option(1500, Right.CALL, symbol="RELIANCE", kind=InstrumentKind.STOCK, lot=500)
    for instrument in (CALL, later, other):
        feed.show(instrument, 5000, 5100)
    broker.submit(order("short", CALL, "SELL", 1, 5000))
    alone = broker.funds().margin_used
    broker.submit(order("other", other, "BUY", 1, 5100))
    assert broker.funds().margin_used == alone
    broker.submit(order("later", later, "BUY", 1, 5100))
    exposure = round(0.02 * 25_000_00 * 65)
    assert exposure < broker.funds().margin_used < alone
    clock.at = ist("2026-02-24 10:00")
    for instrument in (CALL, later):
        feed.show(instrument, 5000, 5100)
    # the expiring call is alone again, with 2 % more
    assert broker.funds().margin_used > alone


def test_an_unknown_level_refuses_a_short_with_its_reason(broker, feed):
    strange = option(100, symbol="STRANGE", kind=InstrumentKind.STOCK, lot=10)
    feed.show(strange, 500, 505)
    with pytest.raises(Rejected, match="margin cannot be worked out: no level of STRANGE"):
        broker.submit(order("a", strange, "SELL", 1, 500))
    assert broker.submit(order("b", strange, "BUY", 1, 505)).state is OrderState.TRADED
    assert broker.submit(order("c", strange, "SELL", 1, 500)).state is OrderState.TRADED


def test_the_calculator_shows_the_benefit_of_a_hedge(broker, feed):
    from strikeloom.domain.legs import Side
    from strikeloom.exchange.orders.request import Placement

    feed.show(CALL, 30000, 30100)
    feed.show(FAR, 11900, 12000)
    short = Placement(CALL, Side.SELL, 65, limit=30000)
    hedge = Placement(FAR, Side.BUY, 65, limit=12000)
    alone, both = broker.engine.margin([short]), broker.engine.margin([short, hedge])
    assert alone.exposure == both.exposure == round(0.02 * 25_000_00 * 65)
    assert (alone.premium, both.premium) == (0, 65 * 12000)
    # at worst 500 points are lost, less what the spread is worth more than that already
    assert both.span <= 65 * 500_00
    assert both.hedge_benefit > 0
    assert both.total == both.span + both.exposure + both.premium
    assert both.hedge_benefit == alone.total - both.span - both.exposure
    assert broker.engine.margin([hedge]).total == 65 * 12000
    assert both.available == CASH
    assert both.shortfall == 0
    broker.submit(order("hedge", FAR, "BUY", 1, 12000))
    on_top = broker.engine.margin([short], with_holdings=True)
    assert on_top.total == both.total - both.premium
    assert on_top.available == broker.funds().cash


def test_resting_and_requested_orders_are_counted_apart(broker, feed):
    from strikeloom.domain.legs import Side
    from strikeloom.errors import NoQuote
    from strikeloom.exchange.orders.request import Placement

    with pytest.raises(NoQuote, match="no price of NIFTY 24 Feb 25000 CE"):
        broker.engine.margin([Placement(CALL, Side.BUY, 65)])
    feed.show(CALL, 29900, 30100)
    assert broker.engine.margin([Placement(CALL, Side.BUY, 65)]).premium == 65 * 30000
    broker.submit(order("rests", CALL, "BUY", 1, 29900))
    balance = broker.engine.balance()
    assert (balance.blocked, balance.margin) == (65 * 29900, 0)
    broker.submit(order("sells", FAR, "SELL", 1, 30000))
    assert broker.engine.balance().blocked > balance.blocked
    assert broker.engine.balance().margin == 0


def test_a_premium_received_does_not_pay_its_own_margin(tmp_path, feed, clock):
    """The requirement counts what buying back would cost, so cash may count the premium."""
    feed.show(CALL, 30000, 30100)
    rich = SimBroker(tmp_path / "rich.db", feed, clock, CASH)
    before = rich.funds()
    rich.submit(order("a", CALL, "SELL", 1, 30000))
    after = rich.funds()
    gained = after.cash - before.cash
    assert 19_400_00 < gained < 19_500_00  # 300.00 x 65 less charges
    assert after.margin_used > gained + 0.10 * 25_000_00 * 65 * 0.9


@pytest.mark.parametrize(
    ("bid", "ask", "same_as"),
    [(30000, None, (29900, 30100)), (None, 9000, (8900, 9100)), (29000, 28000, (9900, 10100))],
)
def test_a_trade_of_the_morning_does_not_outweigh_the_quote_of_now(
    broker, feed, clock, bid, ask, same_as
):
    """Traded at 100.00 once. Whoever bids 300.00 now shows what buying back costs at least."""

    def bound(low, high):
        shown = feed.show(CALL, low, high)
        feed.shown[CALL.key] = replace(shown, last=10000)
        return broker.engine.balance().margin

    feed.show(CALL, 9900, 10100)
    broker.submit(order("a", CALL, "SELL", 1, 9900))
    assert bound(bid, ask) == pytest.approx(bound(*same_as), rel=1e-9)
