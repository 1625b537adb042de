"""Warn of positions in stock contracts that would end in a delivery of shares."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

from strikeloom.domain.instruments import Contract, InstrumentKind, Share
from strikeloom.domain.money import rupees_text
from strikeloom.domain.quantities import quantity
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import DataError
from strikeloom.nse.edges import expected_days
from strikeloom.nse.settlement import Delivery, deliveries
from strikeloom.nse.shortages import AUCTION_RULE
from strikeloom.ports.desk import Desk
from strikeloom.risk.share_parameters import delivery_percent
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.alert import alert
from strikeloom.trading.guards import in_session

#: Seconds after which a missing level is an alert: real ones, by the desk's clock.
_UNKNOWN_SECONDS = 60.0


class DeliveryWarnings:
    """Alerts from four trading days before expiry, each once a day and watcher.

    Options and futures of all positions net off, as they would at expiry, at the present level.
    What is delivered is compared with the shares that the account holds.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._sent: set[tuple[date, str]] = set()
        self._unknown_since: dict[str, datetime] = {}

    def check(self, state: AccountState, market: MarketSnapshot) -> None:
        """Send the alerts that are due and were not sent today.

        Where they cannot be computed that is an alert itself: exits must not wait for a warning.
        """
        try:
            found = self._due(state, market)
        except DataError as error:
            alert(self._desk, "warning", f"deliveries to be expected are not known: {error}")
            return
        today = state.at.date()
        for text in found:
            if (today, text) not in self._sent:
                self._sent.add((today, text))
                alert(self._desk, "warning", text)

    def _due(self, state: AccountState, market: MarketSnapshot) -> list[str]:
        """One text for each delivery to be expected."""
        today = state.at.date()
        held: Counter[Contract] = Counter()
        for position in state.positions.values():
            for leg in position.legs:
                contract = leg.instrument
                if isinstance(contract, Share) or contract.kind is not InstrumentKind.STOCK:
                    continue
                if delivery_percent(contract.kind, contract.expiry, today):
                    held[contract] += leg.net_units
        levels = {contract.symbol: market.level(contract.symbol) for contract in held}
        finals = {
            (contract.symbol, contract.expiry): level
            for contract in held
            if (level := levels[contract.symbol]) is not None
        }
        shares = Counter(state.net_units())
        texts = []
        for delivery in deliveries(held, finals):
            texts.append(_warning(delivery, held, today, shares))
            shares[Share(delivery.symbol).key] += delivery.shares
        return texts + self._unknown(
            {name for name, level in levels.items() if level is None}, market
        )

    def _unknown(self, symbols: set[str], market: MarketSnapshot) -> list[str]:
        """One text for each underlying that has had no level for a while of a session."""
        symbols = symbols if in_session(market.at) else set()
        since = {name: self._unknown_since.get(name, market.at) for name in sorted(symbols)}
        self._unknown_since = since
        limit = _UNKNOWN_SECONDS * max(1.0, self._desk.clock.speed)
        return [
            f"whether {name} would end in a delivery is not known: it has no fresh level"
            for name, begun in since.items()
            if (market.at - begun).total_seconds() >= limit
        ]


def _warning(delivery: Delivery, held: Counter[Contract], today: date, shares: Counter[str]) -> str:
    text = (
        f"{delivery.symbol} would end in a delivery on {delivery.expiry} at the present level: "
        f"{_what_moves(delivery, max(0, shares[Share(delivery.symbol).key]))}"
    )
    if not any(held[contract] > 0 for contract in delivery.units):
        return text
    steps = ", ".join(
        f"{delivery_percent(InstrumentKind.STOCK, delivery.expiry, day):.0%}"
        for day in expected_days(today, delivery.expiry)[:-1]
    )
    margin = f"{steps} of the share's margin from today on, then " if steps else ""
    return f"{text}. Delivery margin of what is bought: {margin}the whole value on the last day"


def _what_moves(delivery: Delivery, held: int) -> str:
    """What is received or delivered, and whether the account holds what it delivers."""
    if delivery.shares > 0 or not held:
        return delivery.sentence()
    paid, needed = rupees_text(abs(delivery.amount)), -delivery.shares
    share = Share(delivery.symbol)
    given = f"{quantity(share, needed)} are delivered for {paid}"
    if held >= needed:
        return f"{given}, out of the {quantity(share, held)} held"
    return f"{given}, but only {held} are held; the other {needed - held} are {AUCTION_RULE}"
