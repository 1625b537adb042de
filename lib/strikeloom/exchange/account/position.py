"""What an account holds of one contract under one product, and what it made on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import FutureContract, Instrument, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.products import Product
from strikeloom.errors import Rejected
from strikeloom.nse.edges import expected_after, expected_before


@dataclass(frozen=True, slots=True)
class NetPosition:
    """Units and paise bought and sold, carried from before and of the day.

    Costs are averages, rounded once, in the value of what is open: realised profit and what is
    open add up to the paisa, ``realised + net x mark - cost == sold - bought + net x mark``.

    Attributes
    ----------
    settled_on, settled_price : datetime.date or None, int
        Last session after which a future was settled in cash, and at which price. What is carried
        is valued at that price; without one, at what is still to be settled.
    received, received_on : int, datetime.date or None
        Of the shares carried, those bought on that day: they are settled one session later.
    """

    instrument: Instrument
    product: Product
    day: date
    carried_buy_units: int = 0
    carried_buy_value: int = 0
    carried_sell_units: int = 0
    carried_sell_value: int = 0
    day_buy_units: int = 0
    day_buy_value: int = 0
    day_sell_units: int = 0
    day_sell_value: int = 0
    settled_on: date | None = None
    settled_price: int = 0
    received: int = 0
    received_on: date | None = None

    @property
    def buy_units(self) -> int:
        """Units bought, carried ones included."""
        return self.carried_buy_units + self.day_buy_units

    @property
    def buy_value(self) -> int:
        """Paise paid for them."""
        return self.carried_buy_value + self.day_buy_value

    @property
    def sell_units(self) -> int:
        """Units sold, carried ones included."""
        return self.carried_sell_units + self.day_sell_units

    @property
    def sell_value(self) -> int:
        """Paise received for them."""
        return self.carried_sell_value + self.day_sell_value

    @property
    def net(self) -> int:
        """Units held; negative when short."""
        return self.buy_units - self.sell_units

    @property
    def cost(self) -> int:
        """Paise paid for what is open at its average; negative when it was received."""
        net = self.net
        if net > 0:
            return _part(self.buy_value, net, self.buy_units)
        return -_part(self.sell_value, -net, self.sell_units) if net else 0

    @property
    def realised(self) -> int:
        """Paise made on what was closed, before charges."""
        return self.sell_value - self.buy_value + self.cost

    @property
    def value(self) -> int:
        """Paise paid less paise received for everything, closed or open."""
        return self.buy_value - self.sell_value

    @property
    def carried_units(self) -> int:
        """Units held when the day began; negative when short."""
        return self.carried_buy_units - self.carried_sell_units

    @property
    def is_settled(self) -> bool:
        """Whether a future's trades of the day are settled in cash already."""
        return self.settled_on is not None and self.settled_on >= self.day

    @property
    def unsettled(self) -> int:
        """Paise at which a future is carried: its next settlement is measured from it."""
        return self.net * self.settled_price if self.is_settled else self.value

    @property
    def exit_units(self) -> int:
        """Units that closing all positions closes: shares held for delivery before today stay."""
        if self.product is not Product.CNC:
            return self.net
        return max(0, min(self.net, self.day_buy_units - self.day_sell_units))

    @property
    def booked(self) -> int:
        """Paise realised by the time it is carried into a later day."""
        if isinstance(self.instrument, FutureContract):
            return self.unsettled - self.value
        return self.realised

    def traded(self, side: Side, units: int, value: int) -> NetPosition:
        """The position after a trade of the day."""
        if side is Side.BUY:
            return replace(
                self,
                day_buy_units=self.day_buy_units + units,
                day_buy_value=self.day_buy_value + value,
            )
        return replace(
            self,
            day_sell_units=self.day_sell_units + units,
            day_sell_value=self.day_sell_value + value,
        )

    def joined(self, other: NetPosition) -> NetPosition:
        """The position with another's trades of the day added."""
        bought = self.traded(Side.BUY, other.day_buy_units, other.day_buy_value)
        return bought.traded(Side.SELL, other.day_sell_units, other.day_sell_value)

    def carried(self, day: date) -> NetPosition:
        """The position on the morning of a later day: what is open, at its cost.

        A future at its settlement price; while that is not known, at all that is to be settled.
        """
        net, cost = self.net, self.cost
        fresh = NetPosition(self.instrument, self.product, day)
        if isinstance(self.instrument, FutureContract):
            cost = self.unsettled
            fresh = replace(
                fresh,
                settled_on=self.settled_on or expected_before(self.day),
                settled_price=self.settled_price,
            )
        elif isinstance(self.instrument, Share):
            received, since = self._received_by(day)
            fresh = replace(fresh, received=received, received_on=since)
        if net > 0:
            return replace(fresh, carried_buy_units=net, carried_buy_value=cost)
        return replace(fresh, carried_sell_units=-net, carried_sell_value=-cost)

    def _received_by(self, day: date) -> tuple[int, date | None]:
        """Shares bought of which the settlement is not before a day, and when they were bought."""
        bought, since = min(self.net, self.day_buy_units - self.day_sell_units), self.day
        if bought <= 0:
            bought, since = min(self.net, self.received), self.received_on or self.day
        if bought <= 0 or expected_after(since) < day:
            return 0, None
        return bought, since

    def settled(self, price: int, on: date) -> NetPosition:
        """A future after its settlement in cash of a day, today's trades included if it is today.

        A settlement that becomes known on a later day concerns what was carried into that day.
        """
        if on >= self.day:
            return replace(self, settled_on=on, settled_price=price)
        return replace(
            self,
            settled_on=on,
            settled_price=price,
            carried_buy_value=self.carried_buy_units * price,
            carried_sell_value=self.carried_sell_units * price,
        )

    def parted(self, day: date) -> tuple[NetPosition, NetPosition | None]:
        """What was held before a day, and the trades of that day; ``None`` where there are none."""
        if self.day < day or not (self.day_buy_units or self.day_sell_units):
            return self, None
        traded = replace(
            self, carried_buy_units=0, carried_buy_value=0,
            carried_sell_units=0, carried_sell_value=0,
        )  # fmt: skip
        held = replace(self, day_buy_units=0, day_buy_value=0, day_sell_units=0, day_sell_value=0)
        return held, traded

    def adjusted(self, change: ContractAdjustment) -> NetPosition:
        """A carried position in the contract that its own has become; its cost stays.

        Prices of a future before the change are those of the former contract: the next settlement
        is that of the day of the change, measured from a price less an extraordinary dividend.
        """
        day, settled_on, eve = self.day, self.settled_on, change.day - timedelta(days=1)
        bought = change.units(self.carried_buy_units)
        sold = change.units(self.carried_sell_units)
        paid = 0
        if isinstance(change.new, FutureContract):
            day, settled_on = max(day, change.day), max(settled_on or eve, eve)
            paid = change.amount
        return replace(
            self,
            day=day,
            settled_on=settled_on,
            received=change.units(self.received),
            instrument=change.new,
            carried_buy_units=bought,
            carried_buy_value=self.carried_buy_value - bought * paid,
            carried_sell_units=sold,
            carried_sell_value=self.carried_sell_value - sold * paid,
        )

    def carried_with(self, other: NetPosition) -> NetPosition:
        """The position with what another one of the same contract was carried with."""
        return replace(
            self,
            carried_buy_units=self.carried_buy_units + other.carried_buy_units,
            carried_buy_value=self.carried_buy_value + other.carried_buy_value,
            carried_sell_units=self.carried_sell_units + other.carried_sell_units,
            carried_sell_value=self.carried_sell_value + other.carried_sell_value,
            settled_on=max(filter(None, (self.settled_on, other.settled_on)), default=None),
            received=self.received + other.received,
            received_on=self.received_on or other.received_on,
        )

    def split(self, units: int) -> tuple[NetPosition, NetPosition]:
        """What stays, and what moves to another product, of the open units at their cost.

        Raises
        ------
        Rejected
            When fewer units are open.
        """
        net = self.net
        if isinstance(self.instrument, FutureContract) and self.is_settled:
            raise Rejected(
                f"{self.instrument.label} is settled for the day and is not converted any more",
                code="DH-906",
            )
        if not 0 < units <= abs(net):
            raise Rejected(
                f"{units} units of {self.instrument.label} cannot be converted, {abs(net)} are "
                f"open as {self.product}",
                code="DH-906",
            )
        side = Side.BUY if net > 0 else Side.SELL
        value = _part(abs(self.cost), units, abs(net))
        # what moves leaves this product as if closed at its own cost, so nothing is realised
        stays = self.traded(side.opposite, units, value)
        moves = NetPosition(self.instrument, self.product, self.day).traded(side, units, value)
        return stays, moves


def _part(value: int, units: int, whole: int) -> int:
    """Share of a value, rounded half up to whole paise."""
    return (2 * value * units + whole) // (2 * whole)
