"""What became of a share that is held: by corporate actions, on record or found in the files.

A split or bonus issue multiplies the shares, a rename gives them another name. A dividend is paid
by the company's registrar to the holder's bank account: it is stated where it is known (one so
large that the exchange lowered strikes for it), and is in no cash of the account. The shares of the
other company that a holder receives at a demerger are not booked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from fractions import Fraction

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import Share
from strikeloom.domain.money import paise
from strikeloom.errors import DataError
from strikeloom.nse.corporate_actions import CorporateAction

_LARGEST_PART = 1000  # of a ratio: 7 for 3 and the like


def share_adjustments(
    held: Share, actions: Iterable[CorporateAction], tick: Callable[[str, date], int]
) -> list[ContractAdjustment]:
    """Adjustments of a share by the actions since it is held, oldest first.

    Parameters
    ----------
    actions : iterable of CorporateAction
        Of every symbol, after the day on which the share is named as given.
    tick : callable
        Price step in paise of the share of a symbol on a day.

    Raises
    ------
    DataError
        When its contracts changed by no rule known, so that nothing is known of the share.
    """
    found: list[ContractAdjustment] = []
    # a rename first: the actions of its day bear the new name
    for item in sorted(actions, key=lambda each: (each.day, not each.successor)):
        if item.symbol != held.symbol:
            continue
        if item.kind == "unexplained":
            raise DataError(
                f"what {held.key} became on {item.day} is not known: {item}; compare the holding "
                "with the broker's before anything is sent",
                key=held.key,
            )
        change = _change(held, item, tick)
        if change is not None:
            found.append(change)
            held = Share(item.successor or held.symbol, change.new.tick)
    return found


def _change(
    held: Share, item: CorporateAction, tick: Callable[[str, date], int]
) -> ContractAdjustment | None:
    symbol, cause, ratio = item.successor or held.symbol, str(item), Fraction(1)
    paid = 0
    if item.ratio and item.kind != "demerger":
        ratio = Fraction(item.ratio).limit_denominator(_LARGEST_PART)
    elif item.kind == "demerger":
        cause += (
            "; the shares of the other company that a holder receives are not booked: what was "
            "paid is counted as that of this share alone, which is not exact"
        )
    elif item.kind == "dividend" and item.amount:
        paid = paise(item.amount, what="dividend")
    elif not item.successor:
        return None  # a step that may be a move: the share remains as it is
    new = Share(symbol, tick(symbol, item.day))
    units = ratio.numerator, ratio.denominator
    return ContractAdjustment(held.key, new, *units, item.day, cause, paid)
