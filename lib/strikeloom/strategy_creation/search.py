"""Search: the best choice of strikes for each template, by what it earns for what it binds.

Every tradable strike within the selectors' reach is a candidate, up to a count; a list longer than
that is thinned evenly and climbed from its best. All templates of a chain are valued together. A
candidate is ranked by its expected value in the real world after a round trip's costs, shrunk by
its own error, less a price for its tail, over what it needs after the worst of the named shocks.
Those that fail fewer of the risk profile's rules come first, then those whose first failure is the
smallest, so that what is refused is the nearest miss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import Right
from strikeloom.domain.outcomes import Rule
from strikeloom.domain.templates import StrategyTemplate, StructurePurpose
from strikeloom.errors import NotBuildable
from strikeloom.quant.candidates.combinations import combine, neighbours
from strikeloom.quant.candidates.contracts import ValueTables, value_tables
from strikeloom.quant.candidates.value import Candidates, value_candidates
from strikeloom.risk.candidates import ScanTable, candidate_margins, scan_table
from strikeloom.risk.parameters import span_parameters
from strikeloom.risk.shocks import shocks_named
from strikeloom.settings.creation import RiskProfile, SearchSettings
from strikeloom.strategy_creation.basis import check_basis
from strikeloom.strategy_creation.contract_rows import ChainRows, chain_rows
from strikeloom.strategy_creation.earnings import CandidateFigures, figures_of, ranking
from strikeloom.strategy_creation.patterns import (
    ChainLists,
    ChainPattern,
    chain_lists,
    pattern_of,
)
from strikeloom.strategy_creation.rules import misses
from strikeloom.strategy_creation.strikes import left_out_text
from strikeloom.strategy_creation.tradable import TradableStrikes
from strikeloom.strategy_creation.valued import Valued

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Candidates that are tried after a best one whose legs cannot be made.
NEXT_BEST = 20
_FARTHEST = 2  # strikes that one or two legs move in a round of climbing


class Best(NamedTuple):
    """What the search of a template on a chain found.

    Attributes
    ----------
    rows : ndarray of int64, shape (L,)
        Contracts of the best that passes the rules of the profile; of the nearest to passing where
        none does.
    figures : CandidateFigures
        Of it.
    tried, possible : int
        Candidates valued, and within reach.
    rank : float
        Of the best: per cent of its funds a month, after the price of its tail.
    next_best : ndarray of int64
        Numbers in ``Searched.valued`` of those that come after it and fail as many rules, in
        their order; ``NEXT_BEST`` of them at most.
    """

    rows: Ints
    figures: CandidateFigures
    tried: int
    possible: int
    rank: float
    next_best: Ints


class Searched(NamedTuple):
    """Search of templates on a chain.

    Attributes
    ----------
    found : dict of str to Best
    refused : dict of str to NotBuildable
        Templates of which no candidate is within reach, or none has a value.
    names : list of str
        Template of each owner of the candidates.
    valued : Valued
        Every candidate.
    """

    found: dict[str, Best]
    refused: dict[str, NotBuildable]
    names: list[str]
    valued: Valued


@dataclass(frozen=True)
class ChainSearch:
    """A chain prepared for searching: prices of its rows, and of every scenario of its margin."""

    strikes: TradableStrikes
    rows: ChainRows
    lists: ChainLists
    tables: ValueTables
    scan: ScanTable
    settings: SearchSettings
    profile: RiskProfile
    rate: float


class _Task(NamedTuple):
    """One template: its pattern, its first candidates, and how many there are."""

    template: StrategyTemplate
    pattern: ChainPattern
    rows: Ints
    possible: int

    @property
    def legs(self) -> int:
        return len(self.template.legs)


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
    return ChainSearch(strikes, rows, chain_lists(rows), tables, scan, settings, profile, rate)


def search_all(prepared: ChainSearch, templates: Sequence[StrategyTemplate]) -> Searched:
    """Best candidate of each template."""
    refused: dict[str, NotBuildable] = {}
    tasks: list[_Task] = []
    for template in templates:
        try:
            tasks.append(_task(prepared, template))
        except NotBuildable as reason:
            refused[template.name] = reason
    valued = _valued(prepared, tasks, {at: task.rows for at, task in enumerate(tasks)})
    ends = np.cumsum([len(task.rows) for task in tasks])
    mine = {at: np.arange(end - len(tasks[at].rows), end) for at, end in enumerate(ends.tolist())}
    valued, tops, tried = _climbed(prepared, tasks, valued, mine)
    found: dict[str, Best] = {}
    for number, task in enumerate(tasks):
        top, name = tops[number], task.template.name
        if np.isnan(valued.figures.max_loss[top]):
            refused[name] = NotBuildable(
                f"none of {tried[number]} choices of strikes has a value at these closes",
                rule=Rule.STRIKES,
            )
            continue
        found[name] = Best(
            valued.rows[top, : task.legs],
            valued.figures.row(top),
            tried[number],
            max(tried[number], task.possible),
            float(valued.rank[top]),
            _next_best(valued, mine[number]),
        )
    return Searched(found, refused, [task.template.name for task in tasks], valued)


def _next_best(valued: Valued, mine: Ints) -> Ints:
    failed, known = valued.misses.failed[mine], ~np.isnan(valued.figures.max_loss[mine])
    return valued.ordered(mine[known & (failed == failed.min())])[1 : NEXT_BEST + 1]


def _task(prepared: ChainSearch, template: StrategyTemplate) -> _Task:
    pattern = pattern_of(template, prepared.strikes, prepared.lists)
    if template.has_underlying:
        check_basis(pattern.horizon, prepared.rate)
    found = combine(pattern.legs, prepared.lists.table, prepared.settings.candidates)
    if not len(found.rows):
        gone = left_out_text(template, pattern.expiries, prepared.strikes)
        raise NotBuildable(
            f"no tradable strikes within reach keep the order of the legs and their widths{gone}",
            rule=Rule.STRIKES,
        )
    return _Task(template, pattern, found.rows, found.possible)


def _climbed(
    prepared: ChainSearch, tasks: Sequence[_Task], valued: Valued, mine: dict[int, Ints]
) -> tuple[Valued, list[int], list[int]]:
    """With the candidates beside the best of what was thinned; best of each task, and how many."""
    starts, table = prepared.settings.starts, prepared.lists.table
    best = {at: valued.ordered(rows)[:starts] for at, rows in mine.items()}
    # starts whose neighbours are not valued yet
    going = {at: best[at] for at, task in enumerate(tasks) if task.possible > len(task.rows)}
    for _ in range(prepared.settings.rounds):
        fresh: dict[int, Ints] = {}
        for at, begun in going.items():
            legs = tasks[at].legs
            seen, near = valued.rows[mine[at], :legs], valued.rows[begun, :legs]
            rows = neighbours(tasks[at].pattern.legs, table, near, seen, _FARTHEST)
            if len(rows):
                fresh[at] = rows
        if not fresh:
            break
        going, first = {}, len(valued.rows)
        valued = valued.joined(_valued(prepared, tasks, fresh))
        for at, rows in fresh.items():
            made = np.arange(first, first + len(rows))
            first += len(rows)
            mine[at] = np.concatenate((mine[at], made))
            best[at] = valued.ordered(np.concatenate((best[at], made)))[:starts]
            going[at] = best[at][best[at] >= made[0]]
    tops = [int(best[at][0]) for at in range(len(tasks))]
    return valued, tops, [len(mine[at]) for at in range(len(tasks))]


def _valued(prepared: ChainSearch, tasks: Sequence[_Task], made: Mapping[int, Ints]) -> Valued:
    """Value candidates of several tasks, by their number, at once."""
    most = max((task.legs for task in tasks), default=1)
    owner = np.repeat(list(made), [len(rows) for rows in made.values()]).astype(np.int64)
    rows = np.concatenate(
        [
            rows if rows.shape[1] == most else rows[:, _padded(rows.shape[1], most)]
            for rows in made.values()
        ]
        or [np.zeros((0, most), dtype=np.int64)]
    )
    units = _units(tasks, owner, rows, prepared.rows)
    values = value_candidates(Candidates(rows, units), prepared.tables)
    need = candidate_margins(prepared.scan, rows, units)
    paid = (units * prepared.rows.cash[rows]).sum(axis=1)
    net_sold = np.array(
        [[task.template.net_sold(right) for right in (Right.CALL, Right.PUT)] for task in tasks],
        dtype=np.float64,
    ).reshape(len(tasks), 2)
    secured = np.array([task.template.cash_secured for task in tasks], dtype=bool)
    contracts = prepared.rows.contracts
    put = np.where(contracts.is_call[rows], 0.0, np.maximum(-units, 0.0) * contracts.strike[rows])
    aside = np.where(secured[owner], put.sum(axis=1), 0.0)
    figures = figures_of(values, need, paid, net_sold[owner], aside)
    earns = [task.template.purpose is not StructurePurpose.PROTECT for task in tasks]
    sessions = np.array([task.pattern.sessions for task in tasks], dtype=np.int64)
    return Valued(
        owner,
        rows,
        figures,
        misses(figures, prepared.profile, np.array(earns, dtype=bool)[owner]),
        ranking(figures, sessions[owner], prepared.profile),
    )


def _padded(legs: int, most: int) -> Ints:
    """Columns of candidates with fewer legs: the first again, which gets no units."""
    return np.array([*range(legs), *[0] * (most - legs)])


def _units(tasks: Sequence[_Task], owner: Ints, rows: Ints, chain: ChainRows) -> Floats:
    """Signed units of each leg: the underlying in lots of the first option beside it."""
    signed = np.zeros((len(tasks), rows.shape[1]))
    first = np.zeros(len(tasks), dtype=np.int64)
    for at, task in enumerate(tasks):
        legs = task.template.legs
        signed[at, : len(legs)] = [float(leg.side) * leg.ratio for leg in legs]
        first[at] = next(place for place, leg in enumerate(legs) if leg.right is not None)
    lot = chain.lot[rows]
    beside = np.take_along_axis(lot, first[owner][:, None], axis=1)
    return np.asarray(signed[owner] * np.where(lot > 0, lot, beside))
