"""Value of an option at expiry, and whether shares are delivered."""

from __future__ import annotations

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right


def intrinsic(contract: OptionContract, final: int) -> int:
    """Paise a unit at a final settlement value of the underlying in paise."""
    gain = final - contract.strike if contract.right is Right.CALL else contract.strike - final
    return max(0, gain)


def delivers(contract: OptionContract, final: int) -> bool:
    """Whether the option ends in a delivery of shares (stock options in the money)."""
    return contract.kind is InstrumentKind.STOCK and intrinsic(contract, final) > 0
