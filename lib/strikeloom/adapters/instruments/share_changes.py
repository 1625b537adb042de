"""What became of a share that is held: by corporate actions, on record or found in the files.

A split or bonus issue multiplies the shares, a rename gives them another name. What else a holder
receives is not booked: a dividend in cash, and at a demerger the shares of the other company.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from fractions import Fraction

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import Share
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
    if item.ratio and item.kind != "demerger":
        ratio = Fraction(item.ratio).limit_denominator(_LARGEST_PART)
    elif item.kind == "demerger":
        cause += (
            "; the shares of the other company that a holder receives are not booked: what was "
            "paid is counted as that of this share alone, which is not exact"
        )
    elif not item.successor:
        return None  # a dividend, or a step that may be a move: the share remains as it is
    new = Share(symbol, tick(symbol, item.day))
    return ContractAdjustment(held.key, new, ratio.numerator, ratio.denominator, item.day, cause)
