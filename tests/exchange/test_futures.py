"""Futures in an account: settled in cash after each session, figures worked out by hand."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import date

import pytest

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import FutureContract, InstrumentKind
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.errors import DataError, Rejected, StoreError
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Placement
from support.fakes import CASH, EXPIRY, ist

NIFTY = FutureContract("NIFTY", EXPIRY, InstrumentKind.INDEX, 65, 10)
STOCK = FutureContract("RELIANCE", EXPIRY, InstrumentKind.STOCK, 500, 10)
BUY, SELL = Side.BUY, Side.SELL
D11, D12, D13, D16 = (date(2026, 2, day) for day in (11, 12, 13, 16))


@pytest.fixture
def engine(tmp_path, feed, clock):
    engine = Engine(Account(tmp_path / "a.db", CASH), feed, clock)
    yield engine
    engine.audit()
    engine.close()


def trade(engine, feed, side, lots, price, future=NIFTY, product=Product.MARGIN):
    feed.show(future, price, price)
    units = lots * future.lot_size
    order = engine.place(Placement(future, side, units, limit=price, product=product))
    assert (order.state, order.reason) == (OrderState.TRADED, "")


def cash_before_charges(engine):
    cash = engine.balance().cash
    return cash + sum(trade.charges for trade in engine.trades())


def test_a_trade_moves_no_cash_but_its_charges(engine, feed):
    trade(engine, feed, BUY, 1, 25_000_00)
    # 16,25,000.00: brokerage 20.00, exchange 0.00173 % 28.11 and fund 0.0001 % 1.62 (rounded to
    # the even paisa), SEBI 1.62, stamps 0.002 % 32.50, GST of 18 % on 51.35 9.24
    assert engine.balance().cash == CASH - (20_00 + 28_11 + 1_62 + 1_62 + 32_50 + 9_24)


def test_each_session_is_settled_to_its_price(engine, feed, clock):
    trade(engine, feed, BUY, 2, 25_000_00)
    trade(engine, feed, SELL, 1, 25_040_00)
    clock.at = ist("2026-02-11 15:30")
    assert engine.depository.settlements() == []  # the price is not known yet
    feed.settlements[NIFTY.key, D11] = 25_100_00
    (first,) = engine.depository.settlements()
    # one lot made 40 points, the other is 100 above its price
    assert (first.day, first.units, first.price, first.amount) == (D11, 65, 25_100_00, 65 * 140_00)
    assert cash_before_charges(engine) == CASH + 65 * 140_00
    assert engine.depository.settlements() == [first]  # once
    clock.at = ist("2026-02-12 10:00")
    (held,) = engine.positions()
    assert (held.net, held.cost, held.realised) == (65, 65 * 25_100_00, 0)
    assert (held.carried_buy_units, held.carried_buy_value) == (65, 65 * 25_100_00)
    trade(engine, feed, SELL, 1, 25_060_00)
    assert engine.positions()[0].realised == -65 * 40_00
    clock.at = ist("2026-02-12 15:30")
    # closed: its price does not count, and is not waited for
    assert engine.depository.settlements(D12)[0].amount == -65 * 40_00
    assert cash_before_charges(engine) == CASH + 65 * 100_00
    clock.at = ist("2026-02-13 10:00")
    assert engine.positions() == []


def test_a_short_future_pays_when_prices_rise(engine, feed, clock):
    trade(engine, feed, SELL, 1, 1_400_00, STOCK)
    feed.settlements[STOCK.key, D11] = 1_410_50
    clock.at = ist("2026-02-11 15:30")
    assert cash_before_charges(engine) == CASH - 500 * 10_50
    clock.at = ist("2026-02-12 10:00")
    (held,) = engine.positions()
    assert (held.net, held.cost) == (-500, -500 * 1_410_50)


def test_days_that_were_not_watched_are_settled_in_order(engine, feed, clock):
    trade(engine, feed, BUY, 1, 25_000_00)
    for day, price in ((D11, 25_100_00), (D12, 24_900_00), (D13, 25_010_00)):
        feed.settlements[NIFTY.key, day] = price
    clock.at = ist("2026-02-16 09:30")
    found = engine.depository.settlements()
    assert [(it.day, it.amount) for it in found] == [
        (D11, 65 * 100_00), (D12, -65 * 200_00), (D13, 65 * 110_00),
    ]  # fmt: skip
    (held,) = engine.positions()
    assert (held.day, held.cost) == (D16, 65 * 25_010_00)


def test_a_price_that_is_known_late_concerns_what_was_carried(engine, feed, clock):
    trade(engine, feed, BUY, 2, 25_000_00)
    trade(engine, feed, SELL, 1, 25_030_00)
    clock.at = ist("2026-02-12 10:00")
    assert cash_before_charges(engine) == CASH
    trade(engine, feed, BUY, 1, 25_300_00)
    engine.audit()
    feed.settlements[NIFTY.key, D11] = 25_200_00
    # a lot closed with 30 points, one that is 200 above; the third was bought since
    assert cash_before_charges(engine) == CASH + 65 * 230_00
    assert [(it.day, it.units) for it in engine.depository.settlements()] == [(D11, 65)]
    (held,) = engine.positions()
    assert (held.net, held.value) == (130, 65 * 25_200_00 + 65 * 25_300_00)
    feed.settlements[NIFTY.key, D12] = 25_250_00
    clock.at = ist("2026-02-12 15:30")
    assert cash_before_charges(engine) == CASH + 65 * 230_00 + 65 * 50_00 - 65 * 50_00


def test_a_day_without_a_price_is_settled_with_the_next(engine, feed, clock):
    trade(engine, feed, BUY, 2, 25_000_00)
    trade(engine, feed, SELL, 1, 25_030_00)
    feed.settlements[NIFTY.key, D12] = 25_100_00
    clock.at = ist("2026-02-12 10:00")
    engine.audit()
    clock.at = ist("2026-02-12 15:30")
    (only,) = engine.depository.settlements()
    assert (only.day, only.amount) == (D12, 65 * 30_00 + 65 * 100_00)


def test_a_future_ends_at_the_final_value_of_its_underlying(engine, feed, clock):
    trade(engine, feed, BUY, 1, 25_000_00)
    trade(engine, feed, SELL, 1, 25_010_00, product=Product.INTRADAY)
    clock.at = ist("2026-02-23 15:30")
    feed.settlements[NIFTY.key, date(2026, 2, 23)] = 25_150_00
    engine.advance()
    feed.settlements[NIFTY.key, EXPIRY] = 1_00  # not what counts on the last day
    feed.settlements["NIFTY", EXPIRY] = 25_200_45
    clock.at = ist("2026-02-24 15:30")
    assert engine.holdings() == {}
    assert cash_before_charges(engine) == CASH + 65 * 10_00
    ends = [t for t in engine.trades() if t.kind == "settlement"]
    assert {(t.product, t.price, t.units, t.charges) for t in ends} == {
        (Product.MARGIN, 25_200_45, 65, 0), (Product.INTRADAY, 25_200_45, 65, 0),
    }  # fmt: skip
    last = engine.depository.settlements(EXPIRY)
    assert sorted(it.amount for it in last) == [-65 * 50_45, 65 * 50_45]
    clock.at = ist("2026-02-25 10:00")
    assert engine.positions() == []


def test_a_future_closed_on_its_last_day_is_paid_without_a_price(engine, feed, clock):
    clock.at = ist("2026-02-24 10:00")
    trade(engine, feed, BUY, 1, 25_000_00)
    trade(engine, feed, SELL, 1, 25_010_00)
    clock.at = ist("2026-02-24 15:30")
    assert cash_before_charges(engine) == CASH + 65 * 10_00


def test_a_final_value_that_is_known_late(engine, feed, clock):
    trade(engine, feed, BUY, 1, 25_000_00)
    for day in (11, 12, 13, 16, 17, 18, 19, 20, 23):
        feed.settlements[NIFTY.key, date(2026, 2, day)] = 25_050_00
    clock.at = ist("2026-02-25 10:00")
    assert engine.holdings() == {NIFTY: 65}
    assert cash_before_charges(engine) == CASH + 65 * 50_00
    feed.settlements["NIFTY", EXPIRY] = 25_020_00
    assert engine.holdings() == {}
    assert cash_before_charges(engine) == CASH + 65 * 20_00
    clock.at = ist("2026-02-26 10:00")
    assert engine.positions() == []


def test_a_split_settles_the_eve_in_the_former_contract(tmp_path, feed, clock):
    """One day is missed, the split is on the next: 500 at 1,400 are 1,000 at 700 each."""
    after = replace(STOCK, lot_size=1000)
    change = ContractAdjustment(STOCK.key, after, 1000, 500, D13, "a split of 2")

    def find(held, since, until):
        return [change] if held.key == STOCK.key and since < D13 <= until else []

    engine = Engine(Account(tmp_path / "s.db", CASH), feed, clock, adjustments=find)
    trade(engine, feed, BUY, 1, 1_380_00, STOCK)
    for day, price in ((D11, 1_390_00), (D12, 1_400_00), (D13, 710_00)):
        feed.settlements[STOCK.key, day] = price
    clock.at = ist("2026-02-16 09:15")
    amounts = [(it.day, it.units, it.amount) for it in engine.depository.settlements()]
    assert amounts == [
        (D11, 500, 500 * 10_00), (D12, 500, 500 * 10_00), (D13, 1000, 1000 * 10_00),
    ]  # fmt: skip
    (held,) = engine.positions()
    assert (held.net, held.cost, held.instrument.lot_size) == (1000, 1000 * 710_00, 1000)
    engine.audit()
    engine.close()


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("known", [True, False], ids=["settled", "not settled"])
def test_a_dividend_is_no_profit_and_no_loss(tmp_path, feed, clock, side, known):
    """Entered at 1,400, eve at 1,410, 20 paid, then 1,395 and closed at 1,399."""
    change = ContractAdjustment(STOCK.key, STOCK, 1, 1, D12, "a dividend of 20", 20_00)

    def find(held, since, until):
        return [change] if held.key == STOCK.key and since < D12 <= until else []

    path, units = tmp_path / "d.db", int(side) * 500
    engine = Engine(Account(path, CASH), feed, clock, adjustments=find)
    trade(engine, feed, side, 1, 1_400_00, STOCK)
    if known:  # else that day's price is in no file
        feed.settlements[STOCK.key, D11] = 1_410_00
    feed.settlements[STOCK.key, D12] = 1_395_00
    clock.at = ist("2026-02-12 09:15")
    (held,) = engine.positions()
    base = 1_390_00 if known else 1_380_00
    assert (held.net, held.cost) == (units, units * base)
    assert cash_before_charges(engine) == CASH + (units * 10_00 if known else 0)
    engine.audit()
    engine.close()
    engine = Engine(Account(path, 1), feed, clock, adjustments=find)  # started again
    clock.at = ist("2026-02-12 15:30")
    assert engine.depository.settlements()[-1].amount == units * (1_395_00 - base)
    engine.audit()
    clock.at = ist("2026-02-13 10:00")
    trade(engine, feed, side.opposite, 1, 1_399_00, STOCK)
    clock.at = ist("2026-02-13 15:30")
    assert cash_before_charges(engine) == CASH + units * (1_399_00 - 1_400_00 + 20_00)
    engine.audit()
    engine.close()


def test_a_file_of_the_version_before_dividends_is_brought_up_to_date(tmp_path, feed, clock):
    path = tmp_path / "v.db"
    engine = Engine(Account(path, CASH), feed, clock)
    trade(engine, feed, BUY, 1, 25_000_00)
    engine.close()
    with sqlite3.connect(path) as old:
        old.execute("ALTER TABLE adjustments DROP COLUMN lowered")
        old.execute("PRAGMA user_version = 5")
    old.close()
    engine = Engine(Account(path, 1), feed, clock)
    assert [it.net for it in engine.positions()] == [65]
    engine.audit()
    engine.close()


def test_a_future_that_may_have_changed_waits_for_its_settlement(tmp_path, feed, clock):
    after, known = replace(STOCK, lot_size=1000), []
    change = ContractAdjustment(STOCK.key, after, 1000, 500, D12, "a split of 2")

    def find(held, since, until):
        if until >= D12 and not known:
            raise DataError("no list of the day")
        return [change] if since < D12 <= until else []

    engine = Engine(Account(tmp_path / "s.db", CASH), feed, clock, adjustments=find)
    trade(engine, feed, BUY, 1, 1_400_00, STOCK)
    feed.settlements[STOCK.key, D12] = 720_00  # of D11 there is none
    clock.at = ist("2026-02-12 15:30")
    assert engine.depository.settlements() == []
    known.append(True)
    (only,) = engine.depository.settlements()
    assert (only.units, only.amount) == (1000, 1000 * 20_00)
    engine.audit()
    engine.close()


def test_losses_since_the_last_settlement_are_no_money_to_use(engine, feed):
    trade(engine, feed, BUY, 1, 25_000_00)
    feed.show(NIFTY, 24_900_00, 24_900_00)
    assert engine.balance().blocked == 65 * 100_00
    feed.show(NIFTY, 25_100_00, 25_100_00)
    assert engine.balance().blocked == 0  # a gain comes with the settlement
    # the price scan of NIFTY and 2 % of exposure
    assert 65 * 25_000_00 // 10 < engine.balance().margin < 65 * 25_000_00 // 6


def test_conversion_keeps_the_sum_and_ends_with_the_day(engine, feed, clock):
    trade(engine, feed, BUY, 2, 25_000_00, product=Product.INTRADAY)
    trade(engine, feed, BUY, 1, 25_001_00, product=Product.INTRADAY)
    engine.convert(NIFTY, Product.INTRADAY, Product.MARGIN, 65)
    feed.settlements[NIFTY.key, D11] = 25_010_00
    feed.shown.clear()  # no price to square it off at
    clock.at = ist("2026-02-11 15:30")
    assert cash_before_charges(engine) == CASH + 130 * 10_00 + 65 * 9_00
    with pytest.raises(Rejected, match="settled for the day"):
        engine.convert(NIFTY, Product.INTRADAY, Product.MARGIN, 65)


def test_what_trades_at_the_close_is_settled_with_the_day(engine, feed, clock):
    """130 bought at 25,000.00, one lot sold at 25,005.00 at half past three; settled at 25,010."""
    trade(engine, feed, BUY, 2, 25_000_00)
    feed.settlements[NIFTY.key, D11] = 25_010_00
    clock.at = ist("2026-02-11 15:30")
    assert cash_before_charges(engine) == CASH + 130 * 10_00
    trade(engine, feed, SELL, 1, 25_005_00)
    assert cash_before_charges(engine) == CASH + 65 * 10_00 + 65 * 5_00
    (settled,) = engine.depository.settlements()
    assert (settled.units, settled.amount) == (65, 65 * 15_00)
    feed.settlements[NIFTY.key, date(2026, 2, 12)] = 25_020_00
    clock.at = ist("2026-02-12 15:30")
    assert cash_before_charges(engine) == CASH + 65 * 20_00 + 65 * 5_00


@pytest.mark.parametrize("side", [BUY, SELL])
def test_what_is_opened_at_the_close_after_all_was_closed(engine, feed, clock, side):
    """10 made on 65; 65 more at 25,005.00 at half past three, and the next day at 25,020.00."""
    sign = int(side)
    trade(engine, feed, BUY, 1, 25_000_00)
    trade(engine, feed, SELL, 1, 25_010_00)
    clock.at = ist("2026-02-11 15:30")
    assert cash_before_charges(engine) == CASH + 65 * 10_00  # no price of the day is needed
    trade(engine, feed, side, 1, 25_005_00)
    assert cash_before_charges(engine) == CASH + 65 * 10_00
    (settled,) = engine.depository.settlements()
    assert (settled.units, settled.price) == (sign * 65, 25_005_00)
    feed.settlements[NIFTY.key, D12] = 25_020_00
    clock.at = ist("2026-02-12 15:30")
    assert cash_before_charges(engine) == CASH + 65 * 10_00 + sign * 65 * 15_00


@pytest.mark.parametrize("at", ["2026-02-24 16:30", "2026-02-25 10:00"], ids=["then", "late"])
def test_what_is_opened_at_the_close_of_the_last_day_ends_with_it(engine, feed, clock, at):
    clock.at = ist("2026-02-24 10:00")
    trade(engine, feed, BUY, 1, 25_000_00)
    trade(engine, feed, SELL, 1, 25_010_00)
    clock.at = ist("2026-02-24 15:30")
    assert cash_before_charges(engine) == CASH + 65 * 10_00
    trade(engine, feed, BUY, 1, 25_005_00)
    clock.at = ist(at)
    assert engine.holdings() == {NIFTY: 65}  # the final value is not known yet
    feed.settlements["NIFTY", EXPIRY] = 25_020_00
    assert engine.holdings() == {}
    assert cash_before_charges(engine) == CASH + 65 * 10_00 + 65 * 15_00
    (settled,) = engine.depository.settlements()
    assert (settled.price, settled.amount) == (25_020_00, 65 * 10_00 + 65 * 15_00)


def test_a_change_known_after_the_close_is_settled_with_what_was_bought_since(
    tmp_path, feed, clock
):
    """500 at 1,400 are a renamed 500; 500 more at 1,410 in the new name; settled at 1,420."""
    new, known = replace(STOCK, symbol="RELNEW"), []
    change = ContractAdjustment(STOCK.key, new, 1, 1, D12, "a new name")

    def find(held, since, until):
        if held.key == STOCK.key and until >= D12 and not known:
            raise DataError("no list of the day")
        return [change] if held.key == STOCK.key and since < D12 <= until else []

    engine = Engine(Account(tmp_path / "n.db", CASH), feed, clock, adjustments=find)
    trade(engine, feed, BUY, 1, 1_400_00, STOCK)
    feed.settlements[STOCK.key, D11] = 1_405_00
    clock.at = ist("2026-02-12 10:00")
    feed.spots[new.symbol] = 1_410_00
    trade(engine, feed, BUY, 1, 1_410_00, new)
    feed.settlements[new.key, D12] = 1_420_00
    clock.at = ist("2026-02-12 15:30")
    assert [it.net for it in engine.positions()] == [500, 500]
    known.append(True)
    (held,) = engine.positions()
    assert (held.net, held.instrument) == (1000, new)
    assert cash_before_charges(engine) == CASH + 500 * 20_00 + 500 * 10_00
    engine.audit()
    clock.at = ist("2026-02-13 10:00")
    engine.audit()
    engine.close()


def test_two_products_of_a_future_are_two_positions_for_the_kill_switch(engine, feed):
    trade(engine, feed, BUY, 1, 25_000_00)
    trade(engine, feed, SELL, 1, 25_000_00, product=Product.INTRADAY)
    assert engine.holdings() == {}
    with pytest.raises(Rejected, match="needs no position and no open order; there are 2 and 0"):
        engine.kill_switch(on=True)
    assert len(engine.exit_all()) == 2
    engine.kill_switch(on=True)


def test_a_resting_bid_for_a_future_ties_up_margin_and_not_its_value(
    tmp_path, feed, clock, monkeypatch
):
    from strikeloom.risk.book import BookMargin

    monkeypatch.setattr(
        "strikeloom.exchange.account.margin_check.book_margins",
        lambda books, *_: [
            BookMargin(scan=sum(abs(n) for n in book.values()) * 2_000_00) for book in books
        ],
    )
    engine = Engine(Account(tmp_path / "m.db", 5_00_000_00), feed, clock)
    feed.show(NIFTY, 25_000_00, 25_001_00)
    rests = engine.place(Placement(NIFTY, BUY, 130, limit=24_000_00))
    assert rests.state is OrderState.PENDING
    balance = engine.balance()
    assert (balance.margin, balance.blocked) == (0, 130 * 2_000_00)
    more = engine.place(Placement(NIFTY, BUY, 130, limit=24_000_00))
    assert (more.state, more.code) == (OrderState.REJECTED, "RMS")
    # on the other side the two do not add up
    assert engine.place(Placement(NIFTY, SELL, 195, limit=26_000_00)).state is OrderState.PENDING
    engine.cancel(rests.number)
    sold = engine.place(Placement(NIFTY, SELL, 65, limit=25_000_00))
    assert sold.state is OrderState.REJECTED
    engine.close()


def test_a_future_whose_margin_is_not_known_is_refused(tmp_path, feed, clock, monkeypatch):
    def unknown(*_):
        raise DataError("no options")

    monkeypatch.setattr("strikeloom.exchange.account.margin_check.book_margins", unknown)
    engine = Engine(Account(tmp_path / "m.db", CASH), feed, clock)
    feed.show(NIFTY, 25_000_00, 25_000_00)
    refused = engine.place(Placement(NIFTY, BUY, 65, limit=25_000_00))
    assert (refused.code, refused.reason) == (
        "RMS", "its margin cannot be worked out: no options",
    )  # fmt: skip
    engine.close()


def test_a_stock_future_is_not_entered_on_its_last_day(engine, feed, clock):
    clock.at = ist("2026-02-24 10:00")
    feed.show(STOCK, 1_400_00, 1_400_00)
    refused = engine.place(Placement(STOCK, BUY, 500, limit=1_400_00))
    assert "no fresh position" in refused.reason
    assert engine.place(Placement(STOCK, BUY, 400, limit=1_400_00)).state is OrderState.REJECTED


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE variation SET amount = amount + 1", "cash kept as"),
        ("UPDATE positions SET settled_price = settled_price + 1", "settlements of futures"),
    ],
)
def test_an_audit_names_a_settlement_that_does_not_add_up(tmp_path, engine, feed, clock, damage,
                                                         words):  # fmt: skip
    trade(engine, feed, BUY, 1, 25_000_00)
    feed.settlements[NIFTY.key, D11] = 25_100_00
    clock.at = ist("2026-02-11 15:30")
    engine.audit()
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute(damage)
    with pytest.raises(StoreError, match=words):
        engine.audit()
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute(damage.replace("+", "-"))
