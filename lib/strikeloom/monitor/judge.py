"""Marks positions and applies their rules; what no tick has touched is judged once a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from strikeloom.domain.positions import ExitDecision, MarkedPosition, Position
from strikeloom.domain.quotes import Quote
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.monitor.decide import decide
from strikeloom.monitor.mark import mark_position
from strikeloom.settings.exit_rule import ExitRule
from strikeloom.settings.exits import ExitSettings, plan_of
from strikeloom.trading.account_state import AccountState

#: Seconds of the desk's time for which a judgement holds whose figures have not changed: its
#: quotes grow older, and its days pass.
_HOLDS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """A marked position, the winning decision if a rule fires, and that of every rule."""

    marked: MarkedPosition
    winner: ExitDecision | None
    decisions: list[ExitDecision]


@dataclass(frozen=True, slots=True)
class _Figures:
    """All that a judgement is made from, except the time."""

    position: Position
    quotes: tuple[Quote | None, ...]
    level: int | None
    last_days: Mapping[int, date]
    peak: int | None

    def equal(self, other: _Figures) -> bool:
        """Whether these are the very same records; comparing their contents would take longer."""
        return (
            self.position is other.position
            and all(a is b for a, b in zip(self.quotes, other.quotes, strict=True))
            and (self.level, self.peak) == (other.level, other.peak)
            and self.last_days == other.last_days
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    """A judgement, what it was made from, and when."""

    figures: _Figures
    at: datetime
    judgement: Judgement

    def holds(self, figures: _Figures, market: MarketSnapshot) -> bool:
        """Whether it is still that of these figures."""
        return 0 <= market.age(self.at) < _HOLDS_SECONDS and self.figures.equal(figures)


class Judge:
    """Judges the positions of one account, and remembers the highest P&L of each.

    Attributes
    ----------
    peaks : dict of str to int
        Highest P&L seen so far in paise, by position.
    """

    def __init__(self, exits: ExitSettings) -> None:
        self._exits = exits
        self._plans: dict[str, tuple[ExitRule, ...]] = {}
        self._kept: dict[str, _Kept] = {}
        self.peaks: dict[str, int] = {}

    def judge(self, position: Position, state: AccountState, market: MarketSnapshot) -> Judgement:
        """Mark a position and apply the rules of its plan.

        Raises
        ------
        SettingsError
            When the plan is not in ``config/exits.yaml``.
        DataError
            When the position cannot be marked.
        """
        name = position.position_id
        figures = _Figures(
            position,
            tuple(market.quotes.get(leg.instrument.key) for leg in position.legs),
            market.level(position.symbol),
            state.ends_of(name),
            self.peaks.get(name, state.peaks.get(name)),
        )
        kept = self._kept.get(name)
        if kept is not None and kept.holds(figures, market):
            return kept.judgement
        found = self._judged(figures, market)
        self._kept[name] = _Kept(figures, market.at, found)
        return found

    def forget(self, names: set[str]) -> None:
        """Forget what is kept of positions other than these."""
        for name in self._kept.keys() - names:
            del self._kept[name]

    def _judged(self, figures: _Figures, market: MarketSnapshot) -> Judgement:
        position, peak = figures.position, figures.peak
        marked = mark_position(position, market, last_days=figures.last_days, peak=peak)
        if marked.pnl is not None:
            best = marked.pnl if peak is None else max(peak, marked.pnl)
            self.peaks[position.position_id] = best
        winner, decisions = decide(marked, self._plan(position.exit_plan))
        return Judgement(marked, winner, decisions)

    def _plan(self, name: str) -> tuple[ExitRule, ...]:
        if name not in self._plans:
            self._plans[name] = plan_of(self._exits, name)
        return self._plans[name]
