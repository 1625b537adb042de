"""Shares in an account: paid in full, sold only when held, settled a session later."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import FutureContract, Right, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.errors import Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Change, OrderType, Placement
from support.fakes import CASH, ist, option

SHARE = Share("RELIANCE", 10)
CALL = option(25_000)
BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def engine(tmp_path, feed, clock):
    engine = Engine(Account(tmp_path / "a.db", CASH), feed, clock)
    yield engine
    engine.audit()
    engine.close()


def place(engine, side, units, price, product=None, instrument=SHARE):
    given = {} if product is None else {"product": product}
    return engine.place(Placement(instrument, side, units, limit=price, **given))


def trade(engine, feed, side, units, price, product=None):
    feed.show(SHARE, price, price)
    order = place(engine, side, units, price, product)
    assert (order.state, order.reason) == (OrderState.TRADED, "")
    return order


def test_a_share_is_for_delivery_and_a_contract_for_margin_when_no_product_is_given():
    future = FutureContract("RELIANCE", date(2026, 2, 24))
    products = [Placement(it, BUY, 1, limit=5).product for it in (SHARE, CALL, future)]
    assert products == [Product.CNC, Product.MARGIN, Product.MARGIN]


@pytest.mark.parametrize(
    ("instrument", "product"),
    [(CALL, Product.CNC), (FutureContract("NIFTY", date(2026, 2, 24)), Product.CNC),
     (SHARE, Product.MARGIN)],
)  # fmt: skip
def test_a_product_of_another_kind_makes_no_order(engine, instrument, product):
    with pytest.raises(Rejected, match="productType of"):
        place(engine, BUY, 65, 100_00, product, instrument)
    assert engine.orders() == []


def test_a_purchase_is_paid_in_full_with_its_charges(engine, feed):
    trade(engine, feed, BUY, 7, 1_400_00)
    # 9,800.00: tax 0.1 % 9.80, exchange 0.00297 % 0.29 and fund 0.0001 % 0.01, SEBI 0.0001 % 0.01,
    # stamps 0.015 % 1.47, GST of 18 % on 0.31 0.06; no brokerage on delivery
    paid = 9_800_00 + 9_80 + 30 + 1 + 1_47 + 6
    assert engine.balance().cash == CASH - paid
    assert engine.balance().available == CASH - paid
    assert engine.holdings() == {SHARE: 7}


def test_what_cash_does_not_pay_is_refused(engine, feed):
    feed.show(SHARE, 1_400_00, 1_400_00)
    refused = place(engine, BUY, 3_572, 1_400_00)  # 50,00,800.00
    assert (refused.state, refused.code) == (OrderState.REJECTED, "RMS")
    assert "needs" in refused.reason
    rests = place(engine, BUY, 1_000, 1_390_00)
    assert rests.state is OrderState.PENDING
    assert engine.balance().blocked == 13_90_000_00
    assert place(engine, BUY, 2_600, 1_400_00).state is OrderState.REJECTED  # 36,40,000.00 more


def test_only_what_is_held_is_sold(engine, feed):
    feed.show(SHARE, 1_400_00, 1_400_00)
    short = place(engine, SELL, 1, 1_400_00)
    assert (short.state, short.code) == (OrderState.REJECTED, "RMS")
    assert short.reason == (
        "Rule: Check holdings: 1 RELIANCE shares are to be sold, 0 are held and not offered yet"
    )
    trade(engine, feed, BUY, 10, 1_400_00)
    offered = place(engine, SELL, 6, 1_500_00)
    assert offered.state is OrderState.PENDING
    assert place(engine, SELL, 5, 1_400_00).state is OrderState.REJECTED
    assert place(engine, SELL, 4, 1_400_00).state is OrderState.TRADED
    with pytest.raises(Rejected, match="Check holdings"):
        engine.modify(offered.number, Change(units=7))
    engine.cancel(offered.number)
    assert engine.holdings() == {SHARE: 6}


def test_a_tick_is_the_share_s_own_and_its_lot_is_one(engine, feed):
    feed.show(SHARE, 1_400_00, 1_400_00)
    refused = place(engine, BUY, 3, 1_399_95)
    assert (refused.code, refused.reason) == ("EXCH", "price 1399.95 is not on the tick of 0.10")
    assert place(engine, BUY, 200_001, 10).state is OrderState.PENDING  # no freeze quantity


def test_shares_settle_one_session_after_they_were_bought(engine, feed, clock):
    """Bought on Wednesday and Friday; the weekend between settles nothing."""
    trade(engine, feed, BUY, 10, 1_400_00)
    assert engine.depository.holdings() == []
    clock.at = ist("2026-02-12 10:00")
    (held,) = engine.depository.holdings()
    assert (held.total, held.settled, held.t1, held.available) == (10, 0, 10, 10)
    clock.at = ist("2026-02-13 10:00")
    trade(engine, feed, BUY, 5, 1_410_00)
    trade(engine, feed, SELL, 2, 1_410_00)
    (held,) = engine.depository.holdings()
    assert (held.total, held.settled, held.t1, held.available) == (10, 10, 0, 10)
    for moment in ("2026-02-14 10:00", "2026-02-15 10:00", "2026-02-16 10:00"):
        clock.at = ist(moment)
        (held,) = engine.depository.holdings()
        assert (held.total, held.settled, held.t1) == (13, 10, 3)
    trade(engine, feed, SELL, 4, 1_420_00)
    (held,) = engine.depository.holdings()
    assert (held.total, held.available) == (13, 9)
    place(engine, SELL, 2, 1_500_00)
    assert engine.depository.holdings()[0].available == 7
    clock.at = ist("2026-02-17 10:00")
    (held,) = engine.depository.holdings()
    assert (held.total, held.settled, held.t1, held.available) == (9, 9, 0, 9)


def test_the_depository_charges_once_for_what_leaves_it(engine, feed, clock):
    trade(engine, feed, BUY, 10, 1_000_00)
    trade(engine, feed, SELL, 4, 1_000_00)  # bought today: none of the depository's
    clock.at = ist("2026-02-13 10:00")
    first, second = (trade(engine, feed, SELL, 2, 1_000_00).number for _ in range(2))
    charges = {t.order_number: t.charges for t in engine.trades()}
    # 12.50 and 18 % of it
    assert charges[first] - charges[second] == 14_75


def test_the_depository_charges_once_a_day_whatever_comes_back(engine, feed, clock):
    trade(engine, feed, BUY, 10, 1_000_00)
    clock.at = ist("2026-02-12 10:00")
    trade(engine, feed, BUY, 10, 1_000_00)
    sales = [trade(engine, feed, SELL, 15, 1_000_00)]
    trade(engine, feed, BUY, 10, 1_000_00)
    sales.append(trade(engine, feed, SELL, 15, 1_000_00))
    first, second = (engine.trades(order=sale.number)[0].charges for sale in sales)
    assert first - second == 14_75
    assert engine.holdings() == {}
    clock.at = ist("2026-02-13 10:00")
    trade(engine, feed, BUY, 15, 1_000_00)
    clock.at = ist("2026-02-16 10:00")
    again = trade(engine, feed, SELL, 15, 1_000_00)
    assert engine.trades(order=again.number)[0].charges == first  # another day


def test_intraday_shares_are_sold_first_and_bought_back(engine, feed):
    order = trade(engine, feed, SELL, 100, 1_400_00, Product.INTRADAY)
    (sold,) = engine.trades(order=order.number)
    assert engine.balance().cash == CASH + 1_40_000_00 - sold.charges
    # the price came in and stays blocked, with a fifth of it
    assert engine.balance().available == CASH - 28_000_00 - sold.charges
    feed.show(SHARE, 1_390_00, 1_390_00)
    assert place(engine, SELL, 1, 1_390_00).state is OrderState.REJECTED  # not held for delivery
    bought = trade(engine, feed, BUY, 100, 1_390_00, Product.INTRADAY)
    (paid,) = engine.trades(order=bought.number)
    assert engine.balance().available == CASH + 1_000_00 - sold.charges - paid.charges


def test_a_short_sale_needs_a_fifth_of_its_value(engine, feed):
    feed.show(SHARE, 1_400_00, 1_400_00, size=100_000)
    assert place(engine, SELL, 17_900, 1_400_00, Product.INTRADAY).state is OrderState.REJECTED
    assert place(engine, SELL, 17_600, 1_400_00, Product.INTRADAY).state is OrderState.TRADED


def test_a_short_sale_beside_shares_held_is_no_money_to_use(engine, feed):
    trade(engine, feed, BUY, 100, 1_400_00)
    before = engine.balance().available
    order = trade(engine, feed, SELL, 100, 1_400_00, Product.INTRADAY)
    (sold,) = engine.trades(order=order.number)
    assert engine.balance().available == before - 28_000_00 - sold.charges
    rests = place(engine, SELL, 100, 1_450_00)  # what is held needs nothing to be sold
    assert rests.state is OrderState.PENDING
    assert engine.balance().available == before - 28_000_00 - sold.charges
    place(engine, SELL, 100, 1_450_00, Product.INTRADAY)
    assert engine.balance().blocked == 168_000_00


def test_what_was_bought_today_is_converted_and_nothing_becomes_short(engine, feed, clock):
    trade(engine, feed, BUY, 10, 1_400_00)
    engine.convert(SHARE, Product.CNC, Product.INTRADAY, 4)
    engine.convert(SHARE, Product.INTRADAY, Product.CNC, 4)
    place(engine, SELL, 7, 1_500_00)
    with pytest.raises(Rejected, match="cannot be converted, 3 were bought today and are not"):
        engine.convert(SHARE, Product.CNC, Product.INTRADAY, 4)
    engine.cancel(engine.orders()[-1].number)
    trade(engine, feed, SELL, 11, 1_400_00, Product.INTRADAY)
    with pytest.raises(Rejected, match="cannot be delivered, 10 are held"):
        engine.convert(SHARE, Product.INTRADAY, Product.CNC, 11)
    engine.convert(SHARE, Product.INTRADAY, Product.CNC, 10)
    trade(engine, feed, BUY, 6, 1_400_00)
    clock.at = ist("2026-02-12 10:00")
    with pytest.raises(Rejected, match="cannot be converted, 0 were bought today"):
        engine.convert(SHARE, Product.CNC, Product.INTRADAY, 1)
    with pytest.raises(Rejected, match="productType"):
        engine.convert(SHARE, Product.CNC, Product.MARGIN, 1)


def test_shares_that_are_offered_already_cover_no_short_sale(engine, feed, clock):
    trade(engine, feed, BUY, 10, 1_400_00)
    trade(engine, feed, SELL, 10, 1_400_00, Product.INTRADAY)
    place(engine, SELL, 4, 1_500_00)
    with pytest.raises(Rejected, match="cannot be delivered, 6 are held and not offered"):
        engine.convert(SHARE, Product.INTRADAY, Product.CNC, 10)
    engine.convert(SHARE, Product.INTRADAY, Product.CNC, 6)


def test_closing_all_positions_keeps_the_holdings(engine, feed, clock):
    trade(engine, feed, BUY, 10, 1_400_00)
    clock.at = ist("2026-02-12 10:00")
    trade(engine, feed, BUY, 3, 1_400_00)
    feed.shown[SHARE.key] = replace(feed.show(SHARE, 1_399_00, 1_401_00), last=1_400_00)
    (closing,) = engine.exit_all()
    assert (closing.units, closing.state, closing.product) == (3, OrderState.TRADED, Product.CNC)
    assert engine.holdings() == {SHARE: 10}
    engine.kill_switch(on=True)
    assert engine.kill_switch_on


def test_a_bonus_and_a_rename_keep_what_was_paid(tmp_path, feed, clock):
    day, renamed = date(2026, 2, 12), Share("RELIND", 10)
    changes = {
        SHARE.key: ContractAdjustment(SHARE.key, SHARE, 2, 1, day, "a bonus of 1 for 1"),
    }

    def find(held, since, until):
        change = changes.get(held.key)
        return [change] if change and since < change.day <= until else []

    engine = Engine(Account(tmp_path / "b.db", CASH), feed, clock, adjustments=find)
    trade(engine, feed, BUY, 10, 1_400_00)
    cash = engine.balance().cash
    clock.at = ist("2026-02-12 09:15")
    (held,) = engine.depository.holdings()
    assert (held.total, held.t1, held.cost) == (20, 20, 14_000_00)
    changes[SHARE.key] = ContractAdjustment(
        SHARE.key, renamed, 1, 1, date(2026, 2, 13), "RELIANCE is RELIND"
    )
    clock.at = ist("2026-02-13 09:15")
    (held,) = engine.depository.holdings()
    assert (held.share, held.total, held.settled, held.cost) == (renamed, 20, 20, 14_000_00)
    assert engine.balance().cash == cash
    engine.audit()
    engine.close()


def test_a_dividend_of_shares_is_paid_outside_the_account(tmp_path, feed, clock):
    change = ContractAdjustment(
        SHARE.key, SHARE, 1, 1, date(2026, 2, 12), "a dividend of 20", 20_00
    )

    def find(held, since, until):
        return [change] if held.key == SHARE.key and since < change.day <= until else []

    engine = Engine(Account(tmp_path / "d.db", CASH), feed, clock, adjustments=find)
    trade(engine, feed, BUY, 10, 1_400_00)
    cash = engine.balance().cash
    clock.at = ist("2026-02-12 09:15")
    (held,) = engine.depository.holdings()
    assert (held.total, held.cost, engine.balance().cash) == (10, 14_000_00, cash)
    engine.audit()
    engine.close()


def test_shares_trade_until_their_own_market_closes(engine, feed, clock):
    """Since 2026-08-03 shares trade until 15:15, and their contracts until 15:40."""
    clock.at = ist("2026-08-04 15:16")
    feed.show(SHARE, 1_400_00, 1_400_00)
    assert place(engine, BUY, 1, 1_400_00).reason == (
        "shares trade until 15:15; it is 15:16, and their closing auction until 15:35 is not used"
    )
    later = option(1_400, Right.CALL, symbol="NIFTY", expiry=date(2026, 8, 25))
    feed.show(later, 10_00, 10_00)
    assert place(engine, BUY, 65, 10_00, None, later).state is OrderState.TRADED
    clock.at = ist("2026-08-05 15:10")
    feed.show(SHARE, None, 1_400_00)
    rests = place(engine, BUY, 1, 1_399_00)
    clock.at = ist("2026-08-05 15:20")
    feed.show(SHARE, None, 1_398_00)
    assert engine.order(rests.number).filled == 0


def test_stops_and_markets_work_for_shares(engine, feed, clock):
    feed.shown[SHARE.key] = replace(feed.show(SHARE, 1_399_00, 1_400_00), last=1_400_00)
    bought = engine.place(Placement(SHARE, BUY, 5, OrderType.MARKET))
    assert (bought.state, bought.filled_value) == (OrderState.TRADED, 5 * 1_400_00)
    stop = engine.place(
        Placement(SHARE, SELL, 5, OrderType.STOP_LOSS, limit=1_380_00, trigger=1_390_00)
    )
    assert stop.state is OrderState.PENDING
    clock.wait(60)
    feed.shown[SHARE.key] = replace(feed.show(SHARE, 1_388_00, 1_389_00), last=1_389_00)
    assert engine.order(stop.number).state is OrderState.TRADED
