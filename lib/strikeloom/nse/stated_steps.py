"""What a person stated about a price step: a move of the market, or an action with its value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from strikeloom.errors import WrongUsage
from strikeloom.nse.corporate_actions import CorporateAction


@dataclass(frozen=True, slots=True)
class StatedStep:
    """An answer about the night before ``day``; without ratio and amount it was a move.

    Attributes
    ----------
    ratio : float or None
        Shares that replaced one.
    amount : float or None
        Rupees a share that left it (a demerged part, a dividend, a right).
    reference : float
        Last close before, rupees.
    stated_at : str
        Date and time of the statement.
    """

    symbol: str
    day: date
    ratio: float | None
    amount: float | None
    reference: float
    stated_at: str

    def __post_init__(self) -> None:
        """Refuse a value that adjusts no price."""
        if self.ratio is not None and (self.amount is not None or not 0 < self.ratio < 1000):
            raise WrongUsage(
                f"ratio {self.ratio:g} is not the shares that replaced one of {self.symbol}; state "
                "one value above 0, and no amount beside it"
            )
        if self.amount is not None and not 0 < self.amount < self.reference:
            raise WrongUsage(
                f"amount {self.amount:g} is not between 0 and the last close of {self.symbol} "
                f"before {self.day}, {self.reference:.2f}"
            )

    @property
    def real(self) -> bool:
        """Whether it was a move of the market."""
        return self.ratio is None and self.amount is None

    def __str__(self) -> str:
        """One sentence."""
        what = "a move of the market"
        if self.ratio is not None:
            what = f"one share became {self.ratio:g}"
        elif self.amount is not None:
            what = f"{self.amount:g} rupees a share left it"
        return f"{self.symbol}, {self.day}: {what} (stated {self.stated_at})"


def how_to_state(action: CorporateAction) -> str:
    """The command that answers what a step was."""
    return (
        "its night is left out of realised volatility until you state what it was: strikeloom data "
        f"step {action.symbol} --date {action.day} --real, --ratio SHARES or --amount RUPEES"
    )


def answered(
    actions: Iterable[CorporateAction], stated: Iterable[StatedStep]
) -> list[CorporateAction]:
    """Actions with each statement in place of the step without a ratio that it is about.

    Where an action of that day has a ratio or an amount of its own, that one stays.
    """
    answers = {(item.symbol, item.day): item for item in stated}
    result = []
    for action in actions:
        key = (action.symbol, action.day)
        if action.breaks and key in answers:
            continue
        if not action.breaks and not action.successor:
            answers.pop(key, None)
        result.append(action)
    result += [_action(step) for step in answers.values() if not step.real]
    return sorted(result, key=lambda item: (item.day, item.symbol, item.kind))


def _action(step: StatedStep) -> CorporateAction:
    return CorporateAction(
        step.symbol,
        step.day,
        "stated",
        step.ratio,
        amount=step.amount,
        reference=step.reference,
        evidence=f"stated {step.stated_at}",
    )
