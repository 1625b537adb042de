"""Value of options and futures at expiry, and the shares that change hands.

A client's stock futures, and stock options in the money, of one underlying and expiry net off
first: long calls, short puts and long futures receive shares, the others deliver them. Only the
difference is delivered; the rest ends in cash (NSE Clearing's physical settlement, since October
2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from strikeloom.domain.instruments import (
    Contract,
    InstrumentKind,
    OptionContract,
    Right,
    order_of,
)
from strikeloom.domain.money import rupees_text


def intrinsic(contract: OptionContract, final: int) -> int:
    """Paise a unit at a final settlement value of the underlying in paise."""
    gain = final - contract.strike if contract.right is Right.CALL else contract.strike - final
    return max(0, gain)


def settled_value(contract: Contract, final: int) -> int:
    """Paise a unit at which a contract ends: an option's intrinsic value, a future's level."""
    return intrinsic(contract, final) if isinstance(contract, OptionContract) else final


def delivery_price(contract: Contract, final: int) -> int:
    """Paise that a share changes hands at: an option's strike, a future's final level."""
    return contract.strike if isinstance(contract, OptionContract) else final


def delivers(contract: Contract, final: int) -> bool:
    """Whether the contract alone ends in a delivery of shares.

    A stock's does, but for an option that is not in the money.
    """
    return contract.kind is InstrumentKind.STOCK and settled_value(contract, final) > 0


def receives(contract: Contract, net: int) -> bool:
    """Whether a holding receives the shares: a long call, a short put, a long future."""
    if isinstance(contract, OptionContract):
        return (net > 0) is (contract.right is Right.CALL)
    return net > 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is delivered of one underlying and expiry after netting.

    Attributes
    ----------
    shares : int
        Received (+) or delivered (-).
    amount : int
        Paise paid (-) or received (+) for them, at their delivery prices.
    units : dict of Contract to int
        Units of each contract that end in the delivery, positive; other units end in cash.
    """

    symbol: str
    expiry: date
    shares: int
    amount: int
    units: Mapping[Contract, int]

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
    held: Mapping[Contract, int], finals: Mapping[tuple[str, date], int]
) -> list[Delivery]:
    """Deliveries of one client's stock contracts, by underlying and expiry, where not all nets off.

    Contracts on the larger side share the delivery in proportion to their units.

    Parameters
    ----------
    held : mapping
        Net units by contract, negative when short.
    finals : mapping
        Final value in paise by underlying and expiry; contracts without one are left out.
    """
    groups: dict[tuple[str, date], list[tuple[Contract, int]]] = {}
    for contract, net in sorted(held.items(), key=lambda item: order_of(item[0])):
        final = finals.get((contract.symbol, contract.expiry))
        if net and final is not None and delivers(contract, final):
            groups.setdefault((contract.symbol, contract.expiry), []).append((contract, net))
    found = (_netted(*name, legs, finals[name]) for name, legs in groups.items())
    return [delivery for delivery in found if delivery.shares]


def _netted(symbol: str, expiry: date, legs: list[tuple[Contract, int]], final: int) -> Delivery:
    shares = sum(abs(net) if receives(c, net) else -abs(net) for c, net in legs)
    larger = [(c, abs(net)) for c, net in legs if receives(c, net) is (shares > 0)]
    whole = sum(size for _, size in larger)
    units: dict[Contract, int] = {}
    before = 0
    for contract, size in larger:
        # rounded on the running sum, so that the parts add up to the whole
        start, before = before, before + size
        part = abs(shares) * before // whole - abs(shares) * start // whole
        if part:
            units[contract] = part
    value = sum(delivery_price(contract, final) * size for contract, size in units.items())
    return Delivery(symbol, expiry, shares, -value if shares > 0 else value, units)
