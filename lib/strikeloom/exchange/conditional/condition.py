"""Conditions of alerts: a level or an indicator of an underlying against a value or another."""

from __future__ import annotations

from dataclasses import dataclass

#: Rupees within which two figures are the same: half a paisa.
_SAME = 0.005

PRICE, WITH_VALUE = "PRICE_WITH_VALUE", "TECHNICAL_WITH_VALUE"
WITH_INDICATOR, WITH_CLOSE = "TECHNICAL_WITH_INDICATOR", "TECHNICAL_WITH_CLOSE"
COMPARISONS = (PRICE, WITH_VALUE, WITH_INDICATOR, WITH_CLOSE)
#: Minutes of a candle by name; a day's candle is 0.
FRAMES = {"DAY": 0, "ONE_MIN": 1, "FIVE_MIN": 5, "FIFTEEN_MIN": 15}
#: Signs of the difference for which an operator holds, whatever it was before.
_SIGNS = {
    "GREATER_THAN": (1,),
    "LESS_THAN": (-1,),
    "GREATER_THAN_EQUAL": (0, 1),
    "LESS_THAN_EQUAL": (-1, 0),
    "EQUAL": (0,),
    "NOT_EQUAL": (-1, 1),
}
OPERATORS = ("CROSSING_UP", "CROSSING_DOWN", "CROSSING_ANY_SIDE", *_SIGNS)


@dataclass(frozen=True, slots=True)
class Condition:
    """What an alert waits for, in the broker's terms.

    Attributes
    ----------
    symbol : str
        Underlying that ``segment`` and ``security_id`` name.
    value : float or None
        Rupees, or units of the indicator.
    side : int or None
        Sign of the difference when it was last evaluated; a crossing needs it.
    met : bool
        Whether it was met then: an alert that fires more than once waits for it to end.
    """

    comparison: str
    segment: str
    security_id: str
    symbol: str
    operator: str
    value: float | None = None
    indicator: str = ""
    other: str = ""
    frame: str = ""
    once: bool = True
    note: str = ""
    side: int | None = None
    met: bool = False


def sign(left: float, right: float) -> int:
    """1 when the left is more, -1 when it is less, 0 when they are the same to half a paisa."""
    difference = left - right
    return 0 if abs(difference) < _SAME else 1 if difference > 0 else -1


def holds(operator: str, before: int | None, now: int) -> bool:
    """Whether an operator holds for a difference of this sign, ``before`` that one.

    A crossing holds when the sides changed since the last evaluation; touching is not yet crossing.
    """
    if operator in _SIGNS:
        return now in _SIGNS[operator]
    if before is None:
        return False
    up, down = before <= 0 < now, now < 0 <= before
    return {"CROSSING_UP": up, "CROSSING_DOWN": down}.get(operator, up or down)
