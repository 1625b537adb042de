"""What an account holds of one contract under one product, and what it made on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import Instrument
from strikeloom.domain.legs import Side
from strikeloom.errors import Rejected
from strikeloom.exchange.orders.request import Product


@dataclass(frozen=True, slots=True)
class NetPosition:
    """Units and paise bought and sold, carried from before and of the day.

    Costs are averages, rounded once, in the value of what is open: realised profit and what is
    open add up to the paisa, ``realised + net x mark - cost == sold - bought + net x mark``.
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
        """The position on the morning of a later day: what is open, at its cost."""
        net, cost = self.net, self.cost
        fresh = NetPosition(self.instrument, self.product, day)
        if net > 0:
            return replace(fresh, carried_buy_units=net, carried_buy_value=cost)
        return replace(fresh, carried_sell_units=-net, carried_sell_value=-cost)

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
        """A carried position in the contract that its own has become; its cost stays."""
        return replace(
            self,
            instrument=change.new,
            carried_buy_units=change.units(self.carried_buy_units),
            carried_sell_units=change.units(self.carried_sell_units),
        )

    def carried_with(self, other: NetPosition) -> NetPosition:
        """The position with what another one of the same contract was carried with."""
        return replace(
            self,
            carried_buy_units=self.carried_buy_units + other.carried_buy_units,
            carried_buy_value=self.carried_buy_value + other.carried_buy_value,
            carried_sell_units=self.carried_sell_units + other.carried_sell_units,
            carried_sell_value=self.carried_sell_value + other.carried_sell_value,
        )

    def split(self, units: int) -> tuple[NetPosition, NetPosition]:
        """What stays, and what moves to another product, of the open units at their cost.

        Raises
        ------
        Rejected
            When fewer units are open.
        """
        net = self.net
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
