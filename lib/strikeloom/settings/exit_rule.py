"""What an exit rule is: a frozen line of ``config/exits.yaml`` that decides about a position."""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import lru_cache
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.exit_fields import ExitFields, Numbers, fields_of
from strikeloom.domain.positions import ExitDecision, MarkedPosition, Urgency, exit_now, hold
from strikeloom.settings.model import SettingsModel


class RuleColumns(NamedTuple):
    """What a rule decides about many positions.

    Attributes
    ----------
    fires : ndarray of bool, shape (n,)
    closeness : ndarray of float64, shape (n,)
        0 far away or not known, 1 firing.
    """

    fires: NDArray[np.bool_]
    closeness: NDArray[np.float64]


class ExitRule(SettingsModel):
    """One rule of an exit plan.

    A rule is one file in ``settings/exit_rules/`` with one class: its parameters are the keys
    of its line in ``config/exits.yaml``, its arithmetic is ``progress``.

    Attributes
    ----------
    rule : str
        Name of the rule in the settings: a ``Literal``, equal to the name of the file.
    urgency : Urgency
        Of the exit when the rule fires.
    """

    rule: str
    urgency: ClassVar[Urgency]

    @property
    def name(self) -> str:
        """Name for people, as it is stored: ``profit target``."""
        return self.rule.replace("_", " ")

    @abstractmethod
    def progress(self, position: ExitFields) -> Numbers:
        """How far a position, or each row of columns, has come towards firing.

        Returns
        -------
        float or ndarray, shape (n,)
            The rule fires at 1 and above. NaN where it cannot fire, because a number is
            unknown or there is nothing to measure by.
        """

    @abstractmethod
    def sentence(self, marked: MarkedPosition) -> str:
        """State the rule's numbers for people, or what it does not know."""

    def target_lots(self, marked: MarkedPosition) -> tuple[int, ...]:
        """Signed lots that each leg is left with when the rule fires; all are closed by default."""
        return (0,) * len(marked.position.legs)

    def decide(self, marked: MarkedPosition) -> ExitDecision:
        """Decide about one position."""
        progress = float(self.progress(fields_of(marked)))
        sentence = self.sentence(marked)
        if progress >= 1:
            targets = self.target_lots(marked)
            return exit_now(self.name, marked.position, self.urgency, sentence, targets)
        closeness = 0.0 if math.isnan(progress) else max(0.0, progress)
        return hold(self.name, marked.position, closeness, sentence)

    def evaluate(self, columns: ExitFields) -> RuleColumns:
        """Decide about many positions at once, exactly as ``decide`` does about each."""
        progress = np.atleast_1d(np.asarray(self.progress(columns), dtype=np.float64))
        return RuleColumns(progress >= 1, np.clip(np.nan_to_num(progress, nan=0.0), 0.0, 1.0))


#: Of what a percentage of money is: of the limit, or always of the premium.
MoneyBase = Literal["maximum", "premium"]


def base_of(limit: Numbers, of: MoneyBase) -> Numbers:
    """The limit that counts for ``share_of``: unlimited where a rule asks for the premium."""
    return limit if of == "maximum" else math.inf


def share_of(limit: Numbers, premium: Numbers, percent: float) -> Numbers:
    """Whole paise: a share of a limit, or of the premium where the limit is unlimited.

    NaN where that is not positive: there is nothing to measure by.
    """
    if isinstance(limit, float) and isinstance(premium, float):
        return _share_of_one(limit, premium, percent)
    return _share(limit, premium, percent)


@lru_cache(maxsize=1024)
def _share_of_one(limit: float, premium: float, percent: float) -> float:
    """Share of one position; kept, because what it can earn and lose does not change by tick."""
    return float(_share(limit, premium, percent))


def _share(limit: Numbers, premium: Numbers, percent: float) -> NDArray[np.float64]:
    base = np.where(np.isinf(limit), np.abs(premium), limit)
    amount = np.rint(base * percent / 100)
    return np.where(amount > 0, amount, np.nan)
