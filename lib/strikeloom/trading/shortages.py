"""Shares that were lacking for a delivery: who owes them, and what a person states was paid.

A broker that reports no settlements does not report either at which price the exchange bought them
in: the contract note has it. A purchase is recorded as a settlement of the leg, once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from strikeloom.domain.instruments import Share
from strikeloom.domain.legs import Side
from strikeloom.domain.money import rupees_text
from strikeloom.domain.orders import Fill, FillKind
from strikeloom.domain.positions import Position
from strikeloom.domain.quantities import quantity
from strikeloom.errors import BrokerError, DataError, WrongUsage
from strikeloom.nse.edges import ending, expected_days, is_expected
from strikeloom.nse.shortages import plausible_purchase
from strikeloom.ports.desk import Desk
from strikeloom.trading.settle import booked_on


@dataclass(frozen=True, slots=True)
class OwedShares:
    """Shares that a leg of a position still owes.

    Attributes
    ----------
    units, price : int
        How many, positive; paise each that were received for them.
    since : datetime.date
        Day of the delivery.
    """

    position_id: str
    leg: int
    share: Share
    units: int
    price: int
    since: date

    def __str__(self) -> str:
        """What is owed since when, and where."""
        what = quantity(self.share, self.units)
        return f"owed: {what} since {self.since} (leg {self.leg} of {self.position_id})"

    @property
    def command(self) -> str:
        """What books their purchase."""
        return (
            f"strikeloom shortages book {self.position_id} --leg {self.leg} --units {self.units} "
            "--price RUPEES --date YYYY-MM-DD"
        )

    def sentence(self, *, reported: bool) -> str:
        """What is owed, and what ends it.

        Parameters
        ----------
        reported : bool
            The broker reports its settlements, and this purchase with them.
        """
        if reported:
            return f"{self}; it ends when the broker reports that they were bought in"
        return f"{self}; when the contract note has their price: {self.command}"


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a person states about shares that the exchange bought in.

    Attributes
    ----------
    units, price, charges : int
        Positive; paise each; paise for all of them.
    day : datetime.date
        Day of the auction or the close-out.
    reference : str
        Number of the contract note, or another text: by it two equal purchases differ.
    """

    position_id: str
    leg: int
    units: int
    price: int
    day: date
    charges: int = 0
    reference: str = ""


def owed_shares(positions: Iterable[Position]) -> list[OwedShares]:
    """Every leg that owes shares, in the order of the positions."""
    return [
        OwedShares(
            position.position_id,
            leg.leg,
            leg.instrument,
            -leg.net_units,
            leg.open_value // leg.net_units,
            leg.since,
        )
        for position in positions
        for leg in position.legs
        if leg.is_owed and isinstance(leg.instrument, Share) and leg.since is not None
    ]


def owed_sentences(desk: Desk, positions: Iterable[Position]) -> list[str]:
    """What positions owe and what ends it, one sentence each."""
    reported = desk.broker.reports_settlements
    return [owed.sentence(reported=reported) for owed in owed_shares(positions)]


def book_purchase(desk: Desk, purchase: Purchase, *, who: str, accept_price: bool = False) -> bool:
    """Book shares that the exchange bought in. Returns ``False`` when this was booked before.

    Parameters
    ----------
    who : str
        Person who states it; on record with the purchase.
    accept_price : bool
        Book a price off the plausible range; that it was accepted is on record too.

    Raises
    ------
    WrongUsage
        Where the leg does not owe the shares, the day cannot be that of a purchase, or the price
        is off the range; names the figures.
    StoreError
        Where there is no such position, or another process booked the shares meanwhile.
    """
    position = desk.store.position(purchase.position_id)
    owed = next((it for it in owed_shares([position]) if it.leg == purchase.leg), None)
    if _is_booked(desk, position, purchase):
        return False
    if owed is None:
        raise WrongUsage(_not_owed(position, purchase.leg))
    _check_units_and_day(desk, purchase, owed)
    why = f"lacking shares bought in by the exchange, stated by {who}"
    low, high = _range(desk, purchase, owed)
    if not low <= purchase.price <= high:
        span = f"{rupees_text(low)} to {rupees_text(high)}"
        if not accept_price:
            raise WrongUsage(
                f"{owed.share.symbol} at {rupees_text(purchase.price)} each on {purchase.day} is "
                f"off the range {span} that follows from {rupees_text(owed.price)} at delivery and "
                "the closes since; correct the price, or give --accept-price if the contract note "
                "has it"
            )
        why += f", who accepted a price off the range {span}"
    if purchase.reference:
        why += f" ({purchase.reference})"
    fill = Fill(
        fill_id=_name(owed.share, purchase), order_id="", correlation_id="",
        instrument_key=owed.share.key, side=Side.BUY, units=purchase.units, price=purchase.price,
        charges=purchase.charges, at=ending(purchase.day), kind=FillKind.BUY_IN,
    )  # fmt: skip
    made = booked_on(position, owed.leg, owed.share, Side.BUY, purchase.units, fill, why)
    return desk.store.record_purchase(made.intent, made.fill)


def _is_booked(desk: Desk, position: Position, purchase: Purchase) -> bool:
    """Whether the same purchase is on record.

    Raises
    ------
    WrongUsage
        With other charges.
    """
    held = next((leg for leg in position.legs if leg.leg == purchase.leg), None)
    if held is None or not isinstance(held.instrument, Share):
        return False
    name = f"{_name(held.instrument, purchase)}-{position.position_id}-{purchase.leg}"
    known = next(
        (it for it in desk.store.fills(position_id=position.position_id) if it.fill_id == name),
        None,
    )
    if known is not None and known.charges != purchase.charges:
        raise WrongUsage(
            f"this purchase is booked with charges of {rupees_text(known.charges)}, not "
            f"{rupees_text(purchase.charges)}; for another one of the same day, number and price "
            "give its --reference"
        )
    return known is not None


def _name(share: Share, purchase: Purchase) -> str:
    """Name of a purchase, the same however often it is stated."""
    of = f"STATED-{share.key}:{purchase.day}:{purchase.units}:{purchase.price}"
    return f"{of}:{purchase.reference}" if purchase.reference else of


def _not_owed(position: Position, leg: int) -> str:
    owing = "; ".join(map(str, owed_shares([position]))) or "it owes no shares"
    held = next((it for it in position.legs if it.leg == leg), None)
    what = "is no leg of it" if held is None else f"holds {held.net_units} {held.instrument.label}"
    return f"leg {leg} of {position.position_id} owes nothing: it {what}; {owing}"


def _check_units_and_day(desk: Desk, purchase: Purchase, owed: OwedShares) -> None:
    if not 0 < purchase.units <= owed.units:
        raise WrongUsage(f"{purchase.units} shares are not what was bought in of {owed}")
    today = desk.clock.now().date()
    if desk.broker.reports_settlements:
        raise WrongUsage(f"{owed.sentence(reported=True)}: there is nothing to state")
    if not owed.since < purchase.day <= today or not is_expected(purchase.day):
        raise WrongUsage(
            f"{purchase.day} is not the day of a purchase of {owed}: it is a session after "
            f"{owed.since}, {today} at the latest"
        )


def _range(desk: Desk, purchase: Purchase, owed: OwedShares) -> tuple[int, int]:
    """Lowest and highest plausible price in paise, by the closes that are known."""
    known, complete = [owed.price], True
    for day in expected_days(owed.since, purchase.day):
        try:
            close = desk.feed.settlement(owed.share.symbol, day)
        except (BrokerError, DataError):
            close = None
        complete &= close is not None
        known += [close] if close is not None else []
    return plausible_purchase(known, complete=complete)
