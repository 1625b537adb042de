"""Money as integer paise: exact sums, no NaN prices, no float ever stored.

Rupees as float exist only inside array maths. ``paise`` and ``rupees`` are the only
conversions.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from strikeloom.errors import DataError

PAISE_PER_RUPEE = 100


def paise(rupees: float | int | str | Decimal, *, what: str = "amount") -> int:
    """Convert rupees to whole paise, exactly.

    Parameters
    ----------
    rupees : float, int, str or Decimal
        Amount in rupees. A float is read by its shortest decimal form, so 0.05 is 5 paise.
    what : str
        Name of the amount in the error message.

    Returns
    -------
    int
        Paise, half-paise rounded half to even (feeds deliver float32 noise).

    Raises
    ------
    DataError
        When the amount is not a finite number.
    """
    try:
        exact = Decimal(str(rupees))
        if exact.is_finite():
            return int((exact * PAISE_PER_RUPEE).to_integral_value())
    except InvalidOperation:
        pass
    raise DataError(f"{what} is {rupees!r}: expected a finite amount in rupees", value=rupees)


def rupees(amount: int) -> float:
    """Convert paise to rupees for array maths and display."""
    return amount / PAISE_PER_RUPEE


def rupees_text(amount: int | None, *, decimals: int = 2, signed: bool = False) -> str:
    """Write paise as rupees with Indian grouping: 123456789 -> ``₹12,34,567.89``.

    ``None`` means unlimited and is written as such.
    """
    if amount is None:
        return "unlimited"
    sign = "-" if amount < 0 else ("+" if signed and amount > 0 else "")
    whole = Decimal(abs(amount)) / PAISE_PER_RUPEE
    body = f"{whole:.{decimals}f}"
    units, _, fraction = body.partition(".")
    head, tail = units[:-3], units[-3:]
    groups = []
    while head:
        groups.append(head[-2:])
        head = head[:-2]
    grouped = ",".join([*reversed(groups), tail])
    return f"{sign}₹{grouped}" + (f".{fraction}" if fraction else "")
