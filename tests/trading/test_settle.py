"""Expiry: each position ends at the settlement value, also those that net out at the broker."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.sim import SimBroker
from strikeloom.domain.instruments import InstrumentKind, Right, Share
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import Fill
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry, prepare_exit
from strikeloom.trading.reconcile import reconcile
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.settle import settlements
from strikeloom.trading.work import work
from support.desk import MadeDesk
from support.fakes import EXPIRY, ist, option
from support.trading_records import PUT, position_of, state

FINAL = 25_175_40  # the NIFTY close the exchange printed on 2026-01-27, as a figure


@pytest.fixture
def made(tmp_path: Path) -> MadeDesk:
    return MadeDesk(tmp_path)


def _expire(made: MadeDesk) -> None:
    made.feed.settlements["NIFTY", EXPIRY] = FINAL
    made.clock.at = ist(f"{EXPIRY} 15:30")
    reconcile(made.desk)


def test_opposite_holdings_of_one_contract_both_end(made: MadeDesk) -> None:
    call = made.show(option(25_000), 150_00, 151_00)
    bought = made.propose([Leg(call, Side.BUY, 1, 150_00)], "long_call")
    sold = made.propose([Leg(call, Side.SELL, 1, 150_00)], "short_call")
    made.enter(bought, 2)
    made.enter(sold, 2)
    assert made.broker.positions() == []
    _expire(made)
    first = made.store.position(bought.strategy_id).legs[0]
    second = made.store.position(sold.strategy_id).legs[0]
    assert (first.net_units, second.net_units) == (0, 0)
    # worth 175.40 at the end; bought at the ask of 151.00, sold at the bid of 150.00
    assert first.realised == 130 * (175_40 - 151_00)
    assert second.realised == 130 * (150_00 - 175_40)
    assert reconcile(made.desk).differences == []


def test_unequal_holdings_share_the_brokers_settlement(made: MadeDesk) -> None:
    call = made.show(option(25_000), 150_00, 151_00)
    bought = made.propose([Leg(call, Side.BUY, 1, 150_00)], "long_call")
    sold = made.propose([Leg(call, Side.SELL, 1, 150_00)], "short_call")
    made.enter(bought, 3)
    made.enter(sold, 1)
    _expire(made)
    long_leg = made.store.position(bought.strategy_id).legs[0]
    short_leg = made.store.position(sold.strategy_id).legs[0]
    assert (long_leg.net_units, short_leg.net_units) == (0, 0)
    assert long_leg.realised == 195 * (175_40 - 151_00)
    assert short_leg.realised == 65 * (150_00 - 175_40)
    (settled,) = [f for f in made.broker.fills() if f.kind == "settlement"]
    ours = [f for f in made.store.fills() if f.kind == "settlement"]
    assert sum(int(f.side) * f.units for f in ours) == int(settled.side) * settled.units
    assert sum(f.charges for f in ours) == settled.charges
    # the charge of exercise falls on what was bought
    assert [f.charges for f in ours if f.side is Side.BUY] == [0]


class LateTrades:
    """A broker as the real one: trades are reported late, and settlements not at all."""

    book_is_complete, reports_settlements = False, False

    def __init__(self, made: MadeDesk) -> None:
        self._broker, self.hidden = made.broker, False
        self._shown = {fill.fill_id for fill in made.broker.fills()}

    def __getattr__(self, name: str) -> object:
        return getattr(self._broker, name)

    def change_count(self) -> None:
        return None

    def fills(self) -> list[Fill]:
        trades = [fill for fill in self._broker.fills() if fill.kind == "trade"]
        return [fill for fill in trades if not self.hidden or fill.fill_id in self._shown]


def test_a_leg_settles_after_the_last_trade_of_its_orders_is_reported(made: MadeDesk) -> None:
    call = made.show(option(25_000), 150_00, 151_00)
    bought = made.propose([Leg(call, Side.BUY, 1, 151_00)], "long_call")
    position = made.enter(bought, 4)
    broker = LateTrades(made)
    desk = replace(made.desk, broker=broker)
    made.clock.at = ist(f"{EXPIRY} 15:29:50")
    made.show(call, 150_00, 151_00)
    made.store.record_intents(prepare_exit(desk, position, [2], "sell half"))
    broker.hidden = True  # the sale of 130 units, in the last seconds
    with Lease(made.home, made.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6))
    made.feed.settlements["NIFTY", EXPIRY] = FINAL
    made.clock.at = ist(f"{EXPIRY} 15:31")
    reconcile(desk)
    assert made.store.position(bought.strategy_id).legs[0].net_units == 260
    broker.hidden = False
    for minute in (32, 33):
        made.clock.at = ist(f"{EXPIRY} 15:{minute}")
        state = reconcile(desk)
    leg = made.store.position(bought.strategy_id).legs[0]
    assert leg.net_units == 0
    assert leg.realised == 130 * (150_00 - 151_00) + 130 * (175_40 - 151_00)
    assert state.positions == {}


def test_nothing_ends_before_its_value_is_known(made: MadeDesk) -> None:
    call = made.show(option(25_000), 150_00, 151_00)
    bought = made.propose([Leg(call, Side.BUY, 1, 150_00)], "long_call")
    made.enter(bought, 1)
    made.clock.at = ist(f"{EXPIRY} 15:30")
    reconcile(made.desk)
    assert made.store.position(bought.strategy_id).is_open
    _expire(made)
    _expire(made)
    assert not made.store.position(bought.strategy_id).is_open
    assert len([f for f in made.store.fills() if f.kind == "settlement"]) == 1


def test_a_stock_option_in_the_money_is_named_as_a_delivery(made: MadeDesk) -> None:
    instrument = replace(option(25_000, Right.CALL), kind=InstrumentKind.STOCK)
    made.show(instrument, 150_00, 151_00)
    bought = made.propose([Leg(instrument, Side.BUY, 1, 150_00)], "long_call")
    made.enter(bought, 1)
    _expire(made)
    _, shares = made.store.position(bought.strategy_id).legs
    assert (shares.instrument, shares.net_units) == (Share("NIFTY"), 65)
    ((level, text),) = [it for it in made.alerts.texts if "delivery of 65 shares" in it[1]]
    assert level == "critical"
    assert text.endswith(f"Held now: 65 NIFTY shares in leg 1 of {bought.strategy_id}")


def test_a_delivery_costs_the_seller_of_the_option(made: MadeDesk) -> None:
    """Value 175.40 at a strike of 25,000: 0.1 % of 65 x 25,000 for the shares, none bought."""
    instrument = replace(option(25_000, Right.CALL), kind=InstrumentKind.STOCK)
    made.show(instrument, 150_00, 151_00)
    sold = made.propose([Leg(instrument, Side.SELL, 1, 150_00)], "short_call")
    made.enter(sold, 1)
    _expire(made)
    ours, lacking = [fill for fill in made.store.fills() if fill.kind != "trade"]
    assert (ours.kind, lacking.kind) == ("settlement", "delivery")
    assert (ours.side, ours.charges) == (Side.BUY, 1_625_00)
    assert (lacking.instrument_key, lacking.side, lacking.units) == ("NIFTY:SHARE", Side.SELL, 65)
    assert any("65 shares are lacking" in text for _, text in made.alerts.texts)


def _stock_spread(made: MadeDesk, lots: tuple[int, int]) -> None:
    """Bought at 24,900 and sold at 25,000, in positions of their own."""
    for strike, side, count in ((24_900, Side.BUY, lots[0]), (25_000, Side.SELL, lots[1])):
        instrument = replace(option(strike, Right.CALL), kind=InstrumentKind.STOCK)
        made.show(instrument, 150_00, 151_00)
        made.enter(made.propose([Leg(instrument, side, 1, 150_00)], f"leg_{strike}"), count)


@pytest.mark.parametrize("silent", [False, True])
def test_options_of_a_stock_net_off_over_positions(made: MadeDesk, silent: bool) -> None:
    """Worth 275.40 and 175.40: 0.125 % of 65 x 275.40 for the buyer, and no shares move."""
    _stock_spread(made, (1, 1))
    if silent:
        made.desk = replace(made.desk, broker=_Silent(made.broker))  # type: ignore[arg-type]
    _expire(made)
    ours = {f.side: f.charges for f in made.store.fills() if f.kind == "settlement"}
    assert ours == {Side.SELL: 22_38, Side.BUY: 0}
    assert not [text for _, text in made.alerts.texts if "delivery" in text]


@pytest.mark.parametrize("silent", [False, True])
def test_what_is_left_of_options_of_a_stock_is_delivered(made: MadeDesk, silent: bool) -> None:
    """Two lots against one: 0.1 % and 0.015 % of 65 x 24,900, 0.125 % of 65 x 275.40."""
    _stock_spread(made, (2, 1))
    if silent:
        made.desk = replace(made.desk, broker=_Silent(made.broker))  # type: ignore[arg-type]
    _expire(made)
    ours = {f.side: f.charges for f in made.store.fills() if f.kind == "settlement"}
    assert ours == {Side.SELL: 1_618_50 + 242_78 + 22_38, Side.BUY: 0}
    (text,) = [text for _, text in made.alerts.texts if "delivery" in text]
    assert "65 shares are received; ₹16,18,500.00 in cash is needed" in text
    (position,) = made.store.positions()
    assert [leg.net_units for leg in position.legs] == [0, 65]


def test_options_of_a_stock_settle_once_all_their_trades_are_known(made: MadeDesk) -> None:
    """Two lots against one, of which one was sold in the last seconds: the rest nets off."""
    low, high = (
        made.show(replace(option(strike), kind=InstrumentKind.STOCK), 150_00, 151_00)
        for strike in (24_900, 25_000)
    )
    bought = made.propose([Leg(low, Side.BUY, 1, 151_00)], "long_call")
    sold = made.propose([Leg(high, Side.SELL, 1, 150_00)], "short_call")
    position = made.enter(bought, 2)
    made.enter(sold, 1)
    broker = LateTrades(made)
    desk = replace(made.desk, broker=broker)
    made.clock.at = ist(f"{EXPIRY} 15:29:50")
    made.show(low, 150_00, 151_00)
    made.store.record_intents(prepare_exit(desk, position, [1], "sell half"))
    broker.hidden = True
    with Lease(made.home, made.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6))
    made.feed.settlements["NIFTY", EXPIRY] = FINAL
    made.clock.at = ist(f"{EXPIRY} 15:31")
    reconcile(desk)
    assert len(made.store.positions()) == 2  # what is delivered is not known yet
    broker.hidden = False
    for minute in (32, 33):
        made.clock.at = ist(f"{EXPIRY} 15:{minute}")
        reconcile(desk)
    assert made.store.positions() == []
    ours = {f.side: f.charges for f in made.store.fills() if f.kind == "settlement"}
    assert ours == {Side.SELL: 22_38, Side.BUY: 0}
    assert not [text for _, text in made.alerts.texts if "delivery of" in text]


class _Silent:
    """A broker that reports no settlements, as Dhan: after expiry its list is only shorter."""

    def __init__(self, broker: SimBroker) -> None:
        self._broker = broker
        self.name, self.book_is_complete, self.reports_settlements = "silent", False, False

    def __getattr__(self, name: str) -> object:
        return getattr(self._broker, name)

    def fills(self) -> list[Fill]:
        return [fill for fill in self._broker.fills() if fill.kind == "trade"]


def test_an_unreported_settlement_is_booked_at_the_same_value(made: MadeDesk) -> None:
    call = made.show(option(25_000), 150_00, 151_00)
    bought = made.propose([Leg(call, Side.BUY, 1, 150_00)], "long_call")
    sold = made.propose([Leg(call, Side.SELL, 1, 150_00)], "short_call")
    made.enter(bought, 3)
    made.enter(sold, 1)
    silent = replace(made.desk, broker=_Silent(made.broker))  # type: ignore[arg-type]
    made.clock.at = ist(f"{EXPIRY} 15:30")
    report = reconcile(silent)
    assert report.differences == []  # the value is not known yet, and nothing is missing
    assert made.store.position(bought.strategy_id).is_open
    made.feed.settlements["NIFTY", EXPIRY] = FINAL
    reconcile(silent)
    reconcile(silent)
    # what the matching engine booked for itself, independently
    (reported,) = [f for f in made.broker.fills() if f.kind == "settlement"]
    ours = [f for f in made.store.fills() if f.kind == "settlement"]
    assert sum(int(f.side) * f.units for f in ours) == int(reported.side) * reported.units
    assert {f.price for f in ours} == {reported.price}
    assert sum(f.charges for f in ours) == reported.charges > 0
    assert made.store.positions() == []


def test_a_series_that_the_exchange_ends_early_ends_then(made: MadeDesk) -> None:
    """Also holdings that offset each other, and at a broker that reports no settlements."""
    early = date(2026, 2, 12)
    call = made.show(option(25_000), 150_00, 151_00)
    bought = made.propose([Leg(call, Side.BUY, 1, 150_00)], "long_call")
    sold = made.propose([Leg(call, Side.SELL, 1, 150_00)], "short_call")
    made.enter(bought, 2)
    made.enter(sold, 2)
    made.feed.ends["NIFTY", EXPIRY] = early
    made.feed.settlements["NIFTY", early] = FINAL
    silent = replace(made.desk, broker=_Silent(made.broker))  # type: ignore[arg-type]
    made.clock.at = ist(f"{early} 15:29")
    reconcile(silent)
    assert len(made.store.positions()) == 2
    made.clock.at = ist(f"{early} 15:30")
    assert reconcile(silent).differences == []
    assert made.store.positions() == []
    assert made.store.position(bought.strategy_id).legs[0].realised == 130 * (175_40 - 151_00)
    texts = [text for _, text in made.alerts.texts if f"settled on {early}" in text]
    assert len(texts) == 2


def test_a_reported_settlement_is_not_that_of_a_later_series_of_the_name(made: MadeDesk) -> None:
    early = date(2026, 2, 12)
    call = made.show(option(25_000), 150_00, 151_00)
    first = made.propose([Leg(call, Side.BUY, 1, 150_00)], "long_call")
    made.enter(first, 2)
    made.feed.ends["NIFTY", EXPIRY] = early
    made.feed.settlements |= {("NIFTY", early): FINAL, ("NIFTY", EXPIRY): 25_010_00}
    made.clock.at = ist(f"{early} 15:30")
    assert [p.net_units for p in made.broker.positions()] == []  # the broker's end comes first
    made.clock.at = ist("2026-02-13 10:00")
    made.step()
    second = made.propose([Leg(call, Side.BUY, 1, 151_00)], "short_call")
    made.enter(second, 1)
    made.clock.at = ist(f"{EXPIRY} 15:30")
    reconcile(made.desk)
    ends = [f.price for f in made.store.fills() if f.kind == "settlement"]
    assert ends == [175_40, 10_00]
    assert made.store.position(first.strategy_id).legs[0].realised == 130 * (175_40 - 151_00)
    assert made.store.position(second.strategy_id).legs[0].realised == 65 * (10_00 - 151_00)
    assert reconcile(made.desk).differences == []


def test_nothing_is_entered_that_ends_before_its_expiry(made: MadeDesk) -> None:
    call = made.show(option(25_000), 150_00, 151_00)
    made.feed.ends["NIFTY", EXPIRY] = date(2026, 2, 12)
    bought = made.propose([Leg(call, Side.BUY, 1, 150_00)], "long_call")
    made.store.record_intents(prepare_entry(made.desk, bought, 1))
    with Lease(made.home, made.store) as lease:
        work(made.desk, lease, OrderRateLimiter(1e6))
    assert made.broker.orders() == []
    (intent,) = made.store.intents()
    assert "ends on 2026-02-12, before its expiry" in intent.note


# shares of one settlement, by hand

CLOSE = ist(f"{EXPIRY} 15:30")


def reported(charges: int, instrument=PUT, *, at=CLOSE, price=40_00, name="F9") -> Fill:
    """Settlement as the broker reports it; only contract, price, charges and time count."""
    return Fill(name, "E9", "", instrument.key, Side.SELL, 65, price, charges, at, "settlement")


def settled(fills, *holdings, instrument=PUT, final=None, at=CLOSE, listed=True):
    """Settlements of positions P0, P1, ... that hold so many units of a contract."""
    held = [position_of(f"P{n}", (instrument, units)) for n, units in enumerate(holdings)]
    return list(settlements(state(positions=held, at=at), fills, lambda *_: final, reported=listed))


@pytest.mark.parametrize(
    ("holdings", "charges", "shares"),
    [
        ((195, 130), 10_00, [6_00, 4_00]),
        ((195, -65, 130), 10_00, [6_00, 0, 4_00]),  # net 260 bought: what is sold bears nothing
        ((-195, 65, -130), 10_00, [6_00, 0, 4_00]),  # net 260 sold
        ((-65, 195), 10_00, [0, 10_00]),
        ((-130, 195), 10_00, [0, 10_00]),
    ],
)
def test_the_net_side_bears_the_charges_by_its_units(holdings, charges, shares) -> None:
    assert [it.fill.charges for it in settled([reported(charges)], *holdings)] == shares


@pytest.mark.parametrize(
    ("holdings", "charges"),
    [((65, 65), 25), ((65, 65, 65), 1_00), ((130, -65, 65, 195), 10_01), ((-65, -65, 65), 7)],
)
def test_the_shares_add_up_to_the_charges_to_the_paisa(holdings, charges) -> None:
    found = [it.fill.charges for it in settled([reported(charges)], *holdings)]
    assert sum(found) == charges
    sign = 1 if sum(holdings) > 0 else -1
    whole = sum(max(0, units * sign) for units in holdings)
    for units, share in zip(holdings, found, strict=True):
        assert abs(share - charges * max(0, units * sign) / whole) < 1


def test_charges_fall_on_the_net_side_by_a_single_unit() -> None:
    small = option(24_800, Right.PUT, lot=1)
    found = settled([reported(10_00, small)], 1, -2, instrument=small)
    assert [(it.fill.side, it.fill.units, it.fill.charges) for it in found] == [
        (Side.SELL, 1, 0), (Side.BUY, 2, 10_00),
    ]  # fmt: skip


def test_a_settlement_closes_the_whole_leg_under_a_name_of_its_own() -> None:
    bought, sold = settled([reported(0)], 195, -65)
    for found, side, units in ((bought, Side.SELL, 195), (sold, Side.BUY, 65)):
        intent, fill = found.intent, found.fill
        assert (intent.side, intent.units, intent.limit) == (side, units, 40_00)
        assert (fill.side, fill.units, fill.price, fill.at) == (side, units, 40_00, CLOSE)
        parts = (intent.intent_id, intent.leg, intent.slice, intent.attempt)
        assert parts[1:] == (0, 0, 1)
        assert fill.correlation_id == intent.correlation_id == "-".join(map(str, parts))
        assert intent.why == f"settled at expiry {EXPIRY}"
        assert found.alerts == ()
    assert bought.intent.intent_id != sold.intent.intent_id
    assert bought.fill.fill_id != sold.fill.fill_id


def test_a_series_ends_with_the_first_settlement_from_its_last_day_on() -> None:
    """P0 holds what ends on the 12th; the same name is settled again on the day of its expiry."""
    early = date(2026, 2, 12)
    held = position_of("P0", (PUT, 65))
    fills = [
        reported(0, price=10_00, name="F3"),
        reported(0, price=99_00, name="F1", at=ist("2026-02-11 15:30")),
        reported(0, price=40_00, name="F2", at=ist(f"{early} 15:30")),
    ]
    account = state(positions=[held], last_days={("P0", 0): early}, at=CLOSE)
    (found,) = settlements(account, fills, lambda *_: None, reported=True)
    assert (found.fill.price, found.fill.at.date()) == (40_00, early)
    assert found.intent.why == f"settled on {early}, the series' last day"
    ((level, text),) = found.alerts
    assert (level, "the exchange ended it early" in text) == ("warning", True)


def test_a_contract_without_its_value_does_not_hold_up_another() -> None:
    hedge = option(24_600, Right.PUT)
    account = state(positions=[position_of("P0", (PUT, -65), (hedge, 65))], at=CLOSE)
    (found,) = settlements(account, [reported(0, hedge)], lambda *_: None, reported=True)
    assert (found.intent.leg, found.fill.instrument_key) == (1, hedge.key)


def test_only_a_stock_option_in_the_money_is_delivered() -> None:
    stock = replace(PUT, kind=InstrumentKind.STOCK)
    for instrument, final, delivered in (
        (PUT, 24_760_00, False),
        (stock, 24_760_00, True),
        (stock, 24_800_00, False),
        (stock, None, True),  # not stored: the value reported, 40.00 below the strike, names it
    ):
        found = settled([reported(0, instrument)], -130, instrument=instrument, final=final)
        levels = [level for it in found for level, _ in it.alerts]
        assert (len(found), levels) == (1 + delivered, ["critical"] * delivered)


def test_a_settlement_that_is_not_reported_has_the_charges_of_the_net_holding() -> None:
    """195 bought and 65 sold at 40.00 a unit: 0.125 % of 130 x 40.00 = Rs 6.50 of STT."""
    found = settled([], 195, -65, final=24_760_00, listed=False)
    assert [(it.fill.price, it.fill.charges) for it in found] == [(40_00, 6_50), (40_00, 0)]
    assert settled([], 195, -65, final=24_760_00, listed=True) == []
    assert settled([], 195, final=24_760_00, listed=False, at=ist(f"{EXPIRY} 15:29")) == []
    offset = settled([], 130, -130, final=24_760_00, listed=True)
    assert [(it.fill.price, it.fill.charges) for it in offset] == [(40_00, 0), (40_00, 0)]


def test_offsetting_holdings_end_together_or_not_at_all(
    made: MadeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended between the two, the broker would report nothing for the one that is left."""
    call = made.show(option(25_000), 150_00, 151_00)
    made.enter(made.propose([Leg(call, Side.BUY, 1, 150_00)], "long_call"), 2)
    made.enter(made.propose([Leg(call, Side.SELL, 1, 150_00)], "short_call"), 2)
    write, writes = made.store.record_fills, []

    def once(rows):
        rows = list(rows)
        if any(fill.kind == "settlement" for fill in rows):
            writes.append(len(rows))
            if len(writes) == 2:
                raise OSError("the process ends here")
        return write(rows)

    monkeypatch.setattr(made.store, "record_fills", once)
    with suppress(OSError):
        _expire(made)
    assert len(made.store.positions()) in (0, 2)
    _expire(made)
    assert made.store.positions() == []


def test_what_was_settled_counts_as_new_once(made: MadeDesk) -> None:
    call = made.show(option(25_000), 150_00, 151_00)
    made.enter(made.propose([Leg(call, Side.BUY, 1, 150_00)], "long_call"), 1)
    made.feed.settlements["NIFTY", EXPIRY] = FINAL
    assert reconcile(made.desk).new_fills == 0
    made.clock.at = CLOSE
    assert reconcile(made.desk).new_fills == 1
    assert reconcile(made.desk).new_fills == 0
