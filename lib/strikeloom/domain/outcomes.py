"""How each structure of the catalogue ended on a symbol and a day: picked, beaten or refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from strikeloom.domain.legs import Leg


class Ending(StrEnum):
    """What became of a structure."""

    PICKED = "picked"
    BEATEN = "beaten"
    REFUSED = "refused"


class Rule(StrEnum):
    """What decided it."""

    BAN = "ban"
    CHAIN = "chain"
    EVIDENCE = "evidence"
    VIEW = "view"
    FORECAST = "forecast"
    EXPIRY = "expiry"
    UNDERLYING = "underlying"
    STRIKES = "strikes"
    LOT_SIZE = "lot size"
    CANNOT_LOSE = "cannot lose"
    NAKED = "naked"
    UNHEDGED = "unhedged"
    PROBABILITY = "probability"
    REWARD = "reward to risk"
    EDGE = "edge"
    COSTS = "costs"
    RANK = "rank"
    UNSTATED = "unstated"  # of runs of an earlier version

    @property
    def is_of_symbol(self) -> bool:
        """It refuses a symbol, and with it every structure on it."""
        return self in (Rule.BAN, Rule.CHAIN, Rule.EVIDENCE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One structure on one symbol.

    Attributes
    ----------
    reason : str
        Sentence for a person, with its numbers.
    value, threshold : float or None
        What was measured and what the rule asks, in the unit of the reason; ``None`` of rules
        without a measure.
    remedy : str
        With what it would have passed; empty where nothing of the structure could change it.
    beaten_by : str
        Structure that was picked instead; empty unless beaten.
    legs : tuple of Leg
        The best choice of strikes that was found, at the prices of the day; empty where none.
    expected_value, error, funds : int or None
        Of it, paise: real-world mean after a round trip, its standard error by the quotes and the
        width of the density, and what is needed after the worst of the shocks with what was paid
        (``RiskSummary.margin_after``).
    score : float or None
        Per cent of the funds a month, as ``Score.total``.
    failed : int or None
        Rules of the risk profile that it fails, of which the first is stated; ``None`` where it was
        not measured by them, and of runs of an earlier version.
    """

    symbol: str
    template: str
    ending: Ending
    rule: Rule
    reason: str
    value: float | None = None
    threshold: float | None = None
    remedy: str = ""
    beaten_by: str = ""
    legs: tuple[Leg, ...] = ()
    expected_value: int | None = None
    error: int | None = None
    funds: int | None = None
    score: float | None = None
    failed: int | None = None
