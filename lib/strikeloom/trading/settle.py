"""Book the end of a contract on every position that held the contract. Nothing here is sent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date

from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Fill, IntentState, OrderIntent, Purpose
from strikeloom.domain.positions import Position, PositionLeg
from strikeloom.nse.charges import settlement_charges
from strikeloom.nse.sessions import session
from strikeloom.nse.settlement import delivers, intrinsic
from strikeloom.ports.desk import Desk
from strikeloom.trading.intents import correlation, intent_name
from strikeloom.trading.tell import tell

Holding = tuple[Position, PositionLeg]


def settle(desk: Desk, fills: list[Fill]) -> int:
    """Book the broker's settlements, and those that it does not tell.

    The broker settles an account's net holding of a contract; positions of ours that held
    both sides of it each end at the same value. The charges fall on those that made up the net.

    Returns
    -------
    int
        Fills booked.
    """
    told: dict[str, list[Fill]] = defaultdict(list)
    for fill in sorted(fills, key=lambda it: it.at):
        if fill.kind == "settlement":
            told[fill.contract_key].append(fill)
    held: dict[tuple[str, date], list[Holding]] = defaultdict(list)
    for position in desk.store.positions():
        for leg in position.legs:
            if leg.net_units:
                last = last_day(desk, position, leg.contract)
                held[leg.contract.key, last].append((position, leg))
    booked = 0
    for (key, last), holdings in held.items():
        # a series that ended may be listed anew under its name: its settlement is another's
        heard = [fill for fill in told[key] if fill.at.date() >= last]
        ended = heard[0] if heard else _untold(desk, holdings, last)
        if ended is None:
            continue
        sign = -1 if sum(leg.net_units for _, leg in holdings) < 0 else 1
        charged = sum(max(0, sign * leg.net_units) for _, leg in holdings)
        for position, leg in holdings:
            share = max(0, sign * leg.net_units) / charged if charged else 0.0
            booked += _book(desk, position, leg, ended, round(ended.charges * share))
    return booked


def last_day(desk: Desk, position: Position, contract: OptionContract) -> date:
    """Day on which a contract that a position has held ends, as far as is known by now."""
    return desk.feed.last_day(contract.symbol, contract.expiry, position.opened_at.date())


def _untold(desk: Desk, holdings: list[Holding], last: date) -> Fill | None:
    """Settlement that the broker does not tell.

    Of a contract in which our positions offset each other there, and of any contract at a
    broker that tells none: an option that ended can have come to no other end.
    """
    contract = holdings[0][1].contract
    net = sum(leg.net_units for _, leg in holdings)
    close = session(last).close
    if (net and desk.broker.reports_settlements) or desk.clock.now() < close:
        return None
    final = desk.feed.settlement(contract.symbol, last)
    if final is None:
        return None
    worth = intrinsic(contract, final)
    charges = settlement_charges(contract, net, worth, last).total
    return Fill(
        fill_id=f"NET-{contract.key}",
        order_id="",
        correlation_id="",
        contract_key=contract.key,
        side=Side.BUY,
        units=1,
        price=worth,
        charges=charges,
        at=close,
        kind="settlement",
    )


def _book(desk: Desk, position: Position, leg: PositionLeg, fill: Fill, charges: int) -> int:
    contract, day = leg.contract, fill.at.date()
    early = "" if day == contract.expiry else f" on {day}, the series' last day"
    name = intent_name(desk.account, desk.market, position.position_id, fill.fill_id)
    side = Side.SELL if leg.net_units > 0 else Side.BUY
    intent = OrderIntent(
        account=desk.account,
        market=desk.market,
        correlation_id=correlation(name, leg.leg, 0, 1),
        intent_id=name,
        position_id=position.position_id,
        purpose=Purpose.SETTLEMENT,
        leg=leg.leg,
        slice=0,
        attempt=1,
        contract=contract,
        side=side,
        units=abs(leg.net_units),
        limit=fill.price,
        priority=0,
        why=f"settled at expiry {contract.expiry}" if not early else f"settled{early}",
        created_at=fill.at,
        state=IntentState.FILLED,
    )
    desk.store.record_intents([intent])
    if early:
        tell(
            desk,
            "warning",
            f"{position.position_id}: {contract.label} was settled{early}, before its expiry "
            f"{contract.expiry}; the exchange ended it early",
        )
    final = desk.feed.settlement(contract.symbol, day)
    if final is not None and delivers(contract, final):
        tell(
            desk,
            "critical",
            f"{position.position_id}: {contract.label} ended in a delivery of "
            f"{abs(leg.net_units)} shares; booked here at its cash value",
        )
    booked = replace(
        fill,
        fill_id=f"{fill.fill_id}-{position.position_id}-{leg.leg}",
        correlation_id=intent.correlation_id,
        side=side,
        units=intent.units,
        charges=charges,
    )
    return desk.store.record_fills([booked])
