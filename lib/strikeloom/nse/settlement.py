"""Value of options at expiry, and the shares that change hands.

A client's stock options of one underlying and expiry that end in the money net off first: long
calls and short puts receive shares, short calls and long puts deliver them. Only the difference
is delivered; the rest ends in cash (NSE Clearing's physical settlement, since October 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.money import rupees_text


def intrinsic(contract: OptionContract, final: int) -> int:
    """Paise a unit at a final settlement value of the underlying in paise."""
    gain = final - contract.strike if contract.right is Right.CALL else contract.strike - final
    return max(0, gain)


def delivers(contract: OptionContract, final: int) -> bool:
    """Whether the option alone ends in a delivery of shares (stock options in the money)."""
    return contract.kind is InstrumentKind.STOCK and intrinsic(contract, final) > 0


def receives(contract: OptionContract, net: int) -> bool:
    """Whether a holding in the money receives the shares: a long call or a short put."""
    return (net > 0) is (contract.right is Right.CALL)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is delivered of one underlying and expiry after netting.

    Attributes
    ----------
    shares : int
        Received (+) or delivered (-).
    amount : int
        Paise paid (-) or received (+) for them, at the strikes.
    units : dict of OptionContract to int
        Units of each option that end in the delivery, positive; other units end in cash.
    """

    symbol: str
    expiry: date
    shares: int
    amount: int
    units: Mapping[OptionContract, int]

    def sentence(self) -> str:
        """What is delivered and what must be there for it."""
        paid = rupees_text(abs(self.amount))
        if self.shares > 0:
            return f"{self.shares} shares are received; {paid} in cash is needed for them"
        return (
            f"{-self.shares} shares are delivered for {paid}; they must be in the account, or the "
            "exchange buys them in auction"
        )


def deliveries(
    held: Mapping[OptionContract, int], finals: Mapping[tuple[str, date], int]
) -> list[Delivery]:
    """Deliveries of one client's stock options, by underlying and expiry; none where all nets off.

    Options on the larger side share the delivery in proportion to their units.

    Parameters
    ----------
    held : mapping
        Net units by contract, negative when short.
    finals : mapping
        Final value in paise by underlying and expiry; options without one are left out.
    """
    groups: dict[tuple[str, date], list[tuple[OptionContract, int]]] = {}
    for contract, net in sorted(held.items()):
        final = finals.get((contract.symbol, contract.expiry))
        if net and final is not None and delivers(contract, final):
            groups.setdefault((contract.symbol, contract.expiry), []).append((contract, net))
    found = (_netted(symbol, expiry, legs) for (symbol, expiry), legs in groups.items())
    return [delivery for delivery in found if delivery.shares]


def _netted(symbol: str, expiry: date, legs: list[tuple[OptionContract, int]]) -> Delivery:
    shares = sum(abs(net) if receives(c, net) else -abs(net) for c, net in legs)
    larger = [(c, abs(net)) for c, net in legs if receives(c, net) is (shares > 0)]
    whole = sum(size for _, size in larger)
    units, before = {}, 0
    for contract, size in larger:
        # rounded on the running sum, so that the parts add up to the whole
        start, before = before, before + size
        part = abs(shares) * before // whole - abs(shares) * start // whole
        if part:
            units[contract] = part
    value = sum(contract.strike * size for contract, size in units.items())
    return Delivery(symbol, expiry, shares, -value if shares > 0 else value, units)
