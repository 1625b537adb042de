"""Search: the best choice of strikes for each template, by what it earns for what it binds.

Every tradable strike within the selectors' reach is a candidate, up to a count; a list longer than
that is thinned evenly and climbed from its best. A candidate is ranked by its expected value in the
real world after a round trip's costs, shrunk by its own error, less a price for its tail, over what
it needs after the worst of the named shocks. Those that pass more of the risk profile's rules come
first, so that what is refused is the nearest miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.outcomes import Rule
from strikeloom.domain.templates import StrategyTemplate
from strikeloom.errors import NotBuildable
from strikeloom.quant.candidates.combinations import combine, neighbours
from strikeloom.quant.candidates.contracts import ValueTables, value_tables
from strikeloom.quant.candidates.front import pareto_front
from strikeloom.quant.candidates.value import Candidates, value_candidates
from strikeloom.risk.candidates import ScanTable, candidate_margins, scan_table
from strikeloom.risk.parameters import span_parameters
from strikeloom.risk.shocks import shocks_named
from strikeloom.settings.creation import RiskProfile, SearchSettings
from strikeloom.strategy_creation.contract_rows import ChainRows, chain_rows
from strikeloom.strategy_creation.earnings import (
    CandidateFigures,
    earning_rate,
    figures_of,
    tail_rate,
)
from strikeloom.strategy_creation.patterns import ChainPattern, pattern_of
from strikeloom.strategy_creation.rules import limits, passed
from strikeloom.strategy_creation.strikes import (
    LegSearch,
    StrikeChoice,
    TradableStrikes,
    leg_expiries,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Of so many candidates with any wings about one is even, so that as many more are listed first.
_UNEVEN = 25


class Best(NamedTuple):
    """What the search of a template on a chain found.

    Attributes
    ----------
    rows : ndarray of int64, shape (L,)
        Contracts of the best that passes the rules of the profile; of the best of all where none
        does.
    figures : CandidateFigures
        Of it.
    front_rows, front : ndarray of int64, shape (k, L), and CandidateFigures
        Those that pass the rules and that none other of the template betters.
    tried, possible : int
        Candidates valued, and within reach.
    rank : float
        Of the best: per cent of its funds a month, after the price of its tail.
    """

    rows: Ints
    figures: CandidateFigures
    front_rows: Ints
    front: CandidateFigures
    tried: int
    possible: int
    rank: float


@dataclass(frozen=True)
class ChainSearch:
    """A chain prepared for searching: prices of its rows, and of every scenario of its margin."""

    strikes: TradableStrikes
    rows: ChainRows
    tables: ValueTables
    scan: ScanTable
    settings: SearchSettings
    profile: RiskProfile


class _Valued(NamedTuple):
    """Candidates with their figures; shape (n, ...)."""

    rows: Ints
    figures: CandidateFigures
    passed: Ints
    rank: Floats

    def joined(self, more: _Valued) -> _Valued:
        return _Valued(
            np.concatenate((self.rows, more.rows)),
            CandidateFigures(
                *(np.concatenate(pair) for pair in zip(self.figures, more.figures, strict=True))
            ),
            np.concatenate((self.passed, more.passed)),
            np.concatenate((self.rank, more.rank)),
        )

    @property
    def order(self) -> Ints:
        """Best first: those that pass more rules before those that pass fewer."""
        return np.lexsort((-self.rank, -self.passed))


def prepare_search(
    strikes: TradableStrikes,
    settings: SearchSettings,
    profile: RiskProfile,
    shocks: Sequence[str],
    rate: float,
) -> ChainSearch:
    """Price what every candidate of a chain is made of."""
    chain = strikes.chain
    rows = chain_rows(strikes, rate)
    underlying = chain.underlying
    parameters = span_parameters(underlying.kind, underlying.symbol, chain.day)
    known = shocks_named(shocks, underlying.kind, chain.day)
    scan_vol = max(chain.front.atm_iv, parameters.base_vol)
    scan = scan_table(rows.table, scan_vol, parameters, known)
    tables = value_tables(rows.contracts, rows.horizons)
    return ChainSearch(strikes, rows, tables, scan, settings, profile)


def search(prepared: ChainSearch, template: StrategyTemplate) -> Best:
    """Best candidate of a template.

    Raises
    ------
    NotBuildable
        When no candidate is within reach, or none has a value at these prices.
    """
    pattern = pattern_of(template, prepared.strikes, prepared.rows)
    rows, possible = _choices(prepared, pattern)
    if not len(rows):
        raise NotBuildable(
            "no tradable strikes within reach keep the order of the legs", rule=Rule.STRIKES
        )
    valued = _valued(prepared, template, pattern, rows)
    thinned = possible > len(rows)
    for _ in range(prepared.settings.rounds if thinned else 0):
        best = valued.rows[valued.order[: prepared.settings.starts]]
        fresh = _even(pattern, neighbours(pattern.legs, pattern.lists, best).rows, prepared.rows)
        if not len(fresh):
            break
        first = len(valued.rows)
        valued = valued.joined(_valued(prepared, template, pattern, fresh))
        if valued.order[0] < first:
            break
    top, tried = int(valued.order[0]), len(valued.rows)
    if np.isnan(valued.figures.max_loss[top]):
        raise NotBuildable(
            f"none of {tried} choices of strikes has a value at these closes", rule=Rule.STRIKES
        )

    front = _front(valued, len(limits(template.purpose)))
    return Best(
        valued.rows[top],
        valued.figures.row(top),
        valued.rows[front],
        valued.figures.row(front),
        tried,
        max(tried, possible),
        float(valued.rank[top]),
    )


def _choices(prepared: ChainSearch, pattern: ChainPattern) -> tuple[Ints, int]:
    """Candidates to begin with, spread evenly over those within reach, and how many these are."""
    most = prepared.settings.candidates
    if not pattern.centres:
        found = combine(pattern.legs, pattern.lists, most)
        return found.rows, found.possible
    found = combine(pattern.legs, pattern.lists, most * _UNEVEN)
    rows = _even(pattern, found.rows, prepared.rows)
    possible = round(found.possible * len(rows) / max(len(found.rows), 1))
    if len(rows) > most:
        rows = rows[(np.arange(most) * len(rows) + len(rows) // 2) // most]
    return rows, possible


def _front(valued: _Valued, rules: int) -> Ints:
    keep = np.flatnonzero(valued.passed == rules)
    return keep[pareto_front(objectives(valued.figures.row(keep)))]


def objectives(figures: CandidateFigures) -> Floats:
    """What a front compares, more is better: shape (n, 4)."""
    return np.stack((figures.edge, figures.tail, figures.chance, -figures.funds), axis=-1)


def _even(pattern: ChainPattern, rows: Ints, chain: ChainRows) -> Ints:
    """Candidates whose mirrored legs are as far from their centre, to the nearest strike."""
    keep = np.ones(len(rows), dtype=bool)
    strike = chain.contracts.strike
    for leg, (other, centre) in pattern.centres.items():
        listed = pattern.lists[leg].strike
        wanted = 2 * strike[rows[:, centre]] - strike[rows[:, other]]
        if not len(listed):
            return rows[:0]
        place = np.clip(np.searchsorted(listed, wanted), 1, max(1, len(listed) - 1))
        low, high = listed[place - 1], listed[np.minimum(place, len(listed) - 1)]
        nearest = np.where(wanted - low <= high - wanted, low, high)
        step = np.abs(nearest - wanted) <= 0.5 * np.abs(high - low) + 1e-9
        keep &= step & (strike[rows[:, leg]] == nearest)
    return rows[keep]


def _valued(
    prepared: ChainSearch, template: StrategyTemplate, pattern: ChainPattern, rows: Ints
) -> _Valued:
    units = _units(template, rows, prepared.rows)
    values = value_candidates(Candidates(rows, units), prepared.tables, threads=1)
    need = candidate_margins(prepared.scan, rows, units)
    paid = (units * prepared.rows.cash[rows]).sum(axis=1)
    figures = figures_of(values, need, paid)
    count = passed(figures, prepared.profile, template.purpose)
    return _Valued(rows, figures, count, ranking(figures, pattern.sessions, prepared.profile))


def ranking(figures: CandidateFigures, sessions: int, profile: RiskProfile) -> Floats:
    """What candidates earn for what they bind, per cent a month; -inf where unknown."""
    rank = earning_rate(figures, sessions) + tail_rate(figures, sessions, profile.tail_price)
    return np.asarray(np.where(np.isfinite(rank), rank, -np.inf))


def _units(template: StrategyTemplate, rows: Ints, chain: ChainRows) -> Floats:
    """Signed units of each leg: the underlying in lots of the first option beside it."""
    first = next(at for at, leg in enumerate(template.legs) if leg.right is not None)
    signed = np.array([float(leg.side) * leg.ratio for leg in template.legs])
    lot = chain.lot[rows]
    return np.asarray(signed * np.where(lot > 0, lot, lot[:, [first]]))


def choice_of(
    prepared: ChainSearch, template: StrategyTemplate, rows: Ints
) -> tuple[StrikeChoice, ...]:
    """Strike of each leg of a candidate; ``rows`` of shape (L,)."""
    strike = prepared.rows.contracts.strike
    expiries = leg_expiries(template, prepared.strikes.chain)
    found: list[StrikeChoice] = []
    taken: list[float] = []
    for leg, expiry, row in zip(template.legs, expiries, rows.tolist(), strict=True):
        place, wanted = int(prepared.rows.place[row]), float("nan")
        if leg.right is not None and leg.strike is not None:
            wanted = LegSearch(leg, leg.right, leg.strike, expiry, prepared.strikes).wanted(taken)
        found.append(StrikeChoice(expiry, wanted, place))
        taken.append(float("nan") if leg.right is None else float(strike[row]))
    return tuple(found)
