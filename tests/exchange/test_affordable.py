"""An order that the calculator finds affordable is taken, and every order taken was paid for."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from strikeloom.domain.instruments import InstrumentKind, Right
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Placement
from strikeloom.nse.charges import trade_charges
from support.fakes import ManualClock, ShownFeed, ist, option

NEAR, FAR = date(2026, 2, 17), date(2026, 2, 24)
INDEX = [
    option(strike, right, expiry=expiry)
    for strike in (24_000, 25_000, 25_200)
    for right in Right
    for expiry in (NEAR, FAR)
]
STOCK = [
    option(strike, right, symbol="RELIANCE", kind=InstrumentKind.STOCK, lot=500)
    for strike in (1_300, 1_400, 1_500)
    for right in Right
]
LEVELS = {"NIFTY": 25_000_00, "RELIANCE": 1_400_00}
orders = st.tuples(
    st.sampled_from(INDEX + STOCK), st.sampled_from(Side), st.integers(1, 6), st.booleans()
)
days = st.sampled_from(["02-11 10:00", "02-17 11:00", "02-20 10:00", "02-23 10:00"])


def worth(instrument):
    """Paise: what it is worth at its expiry, and some more."""
    sign = 1 if instrument.right is Right.CALL else -1
    more = 100_00 if instrument.kind is InstrumentKind.INDEX else 10_00
    return max(0, sign * (LEVELS[instrument.symbol] - instrument.strike)) + more


@settings(max_examples=60, deadline=None)
@given(st.lists(orders, max_size=10), days, st.integers(1, 40))
@example(
    [(INDEX[0], Side.BUY, 8, False), (INDEX[10], Side.SELL, 4, False),
     (INDEX[0], Side.BUY, 1, False), (INDEX[10], Side.BUY, 2, True)],
    "02-11 10:00", 13,
)  # fmt: skip
def test_an_order_is_taken_when_it_fits_and_never_overdraws(wanted, now, lakh):
    clock = ManualClock(ist(f"2026-{now}"))
    feed = ShownFeed(clock)
    feed.spots |= LEVELS
    with tempfile.TemporaryDirectory() as folder:
        account = Account(Path(folder) / "a.db", lakh * 1_00_000_00)
        engine = Engine(account, feed, clock)
        for instrument in INDEX + STOCK:
            shown = feed.show(
                instrument, worth(instrument) - 5, worth(instrument) + 5, size=100_000
            )
            feed.shown[instrument.key] = replace(shown, last=worth(instrument))
        for instrument, side, lots, waits in wanted:
            if instrument.expiry < clock.at.date():
                continue
            clock.wait(1)
            away = worth(instrument) // 10 if waits else -5
            limit = (worth(instrument) - int(side) * away) // 5 * 5
            check(
                engine,
                Placement(instrument, side, lots * instrument.lot_size, limit=limit),
                clock,
                buys_back(account, instrument, side, lots * instrument.lot_size),
            )
        engine.audit()
        engine.close()


def buys_back(account, instrument, side, units):
    """Whether an order only buys back what is short, with those that rest."""
    resting = account.book.resting(instrument.key, Side.BUY)
    short = -account.ledger.holdings().get(instrument, 0)
    return side is Side.BUY and resting + units <= short


def check(engine, placement, clock, exits):
    before = engine.balance()
    found = engine.margin([placement], with_holdings=True)
    assert found.available == before.available
    costs = trade_charges(
        placement.side, placement.units, placement.limit, clock.at.date()
    ).total  # fmt: skip
    order = engine.place(placement)
    if found.total + costs <= found.available:
        assert order.state is not OrderState.REJECTED, order.reason
    after = engine.balance()
    if exits:
        # always taken: it frees more than it ties up while it rests
        assert order.state is not OrderState.REJECTED, order.reason
    elif before.available >= 0:
        # the margin counts the middle of the quote, the trade its side: half a spread a unit
        spread = 10 * placement.units
        assert after.available >= -spread - costs, (before, after, placement)
