"""A number with its noun, in singular or plural."""

from __future__ import annotations


def counted(number: int, noun: str, *, signed: bool = False) -> str:
    """Number and noun; a noun in ``y`` after a consonant has the plural in ``ies``.

    Examples
    --------
    >>> counted(1, "lot"), counted(-1, "lot"), counted(2, "lot"), counted(0, "strategy")
    ('1 lot', '-1 lot', '2 lots', '0 strategies')
    >>> counted(2, "lot", signed=True)
    '+2 lots'
    """
    figure = f"{number:+d}" if signed else f"{number:,}"
    if abs(number) == 1:
        return f"{figure} {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{figure} {plural}"
