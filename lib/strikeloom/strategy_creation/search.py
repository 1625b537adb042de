"""Search: the best choice of strikes for each template, by what it earns for what it binds.

Every tradable strike within the selectors' reach is a candidate, up to a count; a list longer than
that is thinned evenly and climbed from its best. A candidate is ranked by its expected value in the
real world after a round trip's costs, shrunk by its own error, over what it needs after the worst
of the named shocks: the best of thousands of noisy values would be the noisiest quote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.templates import StrategyTemplate
from strikeloom.errors import NotBuildable
from strikeloom.quant.candidates.combinations import combine, neighbours
from strikeloom.quant.candidates.contracts import ValueTables, value_tables
from strikeloom.quant.candidates.value import Candidates, CandidateValues, value_candidates
from strikeloom.risk.candidates import ScanTable, candidate_margins, scan_table
from strikeloom.risk.parameters import span_parameters
from strikeloom.risk.shocks import shocks_named
from strikeloom.settings.creation import SearchSettings
from strikeloom.strategy_creation.contract_rows import ChainRows, chain_rows
from strikeloom.strategy_creation.patterns import ChainPattern, pattern_of
from strikeloom.strategy_creation.strikes import LegSearch, StrikeChoice, TradableStrikes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Best(NamedTuple):
    """Best candidate of a template on a chain.

    Attributes
    ----------
    choice : tuple of StrikeChoice
        Strike of each leg.
    tried, possible : int
        Candidates valued, and within reach.
    rank : float
        Expected value after a round trip, shrunk by its error, over the funds it needs.
    """

    choice: tuple[StrikeChoice, ...]
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


def prepare_search(
    strikes: TradableStrikes, settings: SearchSettings, shocks: Sequence[str], rate: float
) -> ChainSearch:
    """Price what every candidate of a chain is made of."""
    chain = strikes.chain
    rows = chain_rows(strikes, rate)
    underlying = chain.underlying
    parameters = span_parameters(underlying.kind, underlying.symbol, chain.day)
    known = shocks_named(shocks, underlying.kind, chain.day)
    scan_vol = max(chain.front.atm_iv, parameters.base_vol)
    scan = scan_table(rows.table, scan_vol, parameters, known)
    return ChainSearch(strikes, rows, value_tables(rows.contracts, rows.horizons), scan, settings)


def search(prepared: ChainSearch, template: StrategyTemplate) -> Best:
    """Best candidate of a template.

    Raises
    ------
    NotBuildable
        When no candidate is within reach, or none can lose at these prices.
    """
    pattern = pattern_of(template, prepared.strikes, prepared.rows)
    found = combine(pattern.legs, pattern.lists, prepared.settings.candidates)
    rows = _even(pattern, found.rows, prepared.rows)
    if not len(rows):
        raise NotBuildable("no tradable strikes within reach keep the order of the legs")
    rank = _rank(prepared, template, rows)
    tried = len(rows)
    thinned = found.possible > len(found.rows)
    for _ in range(prepared.settings.rounds if thinned else 0):
        best = rows[np.argsort(-rank, kind="stable")[: prepared.settings.starts]]
        fresh = _even(pattern, neighbours(pattern.legs, pattern.lists, best).rows, prepared.rows)
        if not len(fresh):
            break
        more = _rank(prepared, template, fresh)
        tried += len(fresh)
        better = float(more.max()) > float(rank.max())
        rows, rank = np.concatenate((rows, fresh)), np.concatenate((rank, more))
        if not better:
            break
    first = int(np.argmax(rank))
    if rank[first] == -np.inf:
        raise NotBuildable(
            f"none of {tried} candidates can lose at these closes: their legs last traded at "
            "different times"
        )
    choice = _choice(template, pattern, rows[first], prepared)
    return Best(choice, tried, max(tried, found.possible), float(rank[first]))


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


def _rank(prepared: ChainSearch, template: StrategyTemplate, rows: Ints) -> Floats:
    """Shrunk expected value over the funds it needs; -inf of what cannot lose or has no value."""
    units = _units(template, rows, prepared.rows)
    values = value_candidates(Candidates(rows, units), prepared.tables, threads=1)
    need = candidate_margins(prepared.scan, rows, units)
    paid = (units * prepared.rows.cash[rows]).sum(axis=1)
    funds = (need.margin - need.variation).max(axis=1) + paid
    return ranking(values, funds)


def ranking(values: CandidateValues, funds: Floats) -> Floats:
    """What candidates earn for what they bind; shape (n,).

    Parameters
    ----------
    funds : ndarray, shape (n,)
        Rupees needed at the worst of the named shocks, what was paid included.
    """
    mean = np.where(np.isnan(values.real.mean), values.smile.mean, values.real.mean)
    edge = mean - values.costs
    noise = values.error**2
    with np.errstate(invalid="ignore", divide="ignore"):
        sure = np.where(edge > 0, edge * edge / (edge * edge + noise), 1.0)
        rank = edge * sure / np.maximum(funds, np.maximum(values.costs, 1.0))
    lost = ~np.isfinite(rank) | ~(values.max_loss > 0)
    return np.asarray(np.where(lost, -np.inf, rank))


def _units(template: StrategyTemplate, rows: Ints, chain: ChainRows) -> Floats:
    """Signed units of each leg: the underlying in lots of the first option beside it."""
    first = next(at for at, leg in enumerate(template.legs) if leg.right is not None)
    signed = np.array([float(leg.side) * leg.ratio for leg in template.legs])
    lot = chain.lot[rows]
    return np.asarray(signed * np.where(lot > 0, lot, lot[:, [first]]))


def _choice(
    template: StrategyTemplate, pattern: ChainPattern, rows: Ints, prepared: ChainSearch
) -> tuple[StrikeChoice, ...]:
    strike = prepared.rows.contracts.strike
    found: list[StrikeChoice] = []
    taken: list[float] = []
    for leg, expiry, row in zip(template.legs, pattern.expiries, rows.tolist(), strict=True):
        place, wanted = int(prepared.rows.place[row]), float("nan")
        if leg.right is not None and leg.strike is not None:
            wanted = LegSearch(leg, leg.right, leg.strike, expiry, prepared.strikes).wanted(taken)
        found.append(StrikeChoice(expiry, wanted, place))
        taken.append(float("nan") if leg.right is None else float(strike[row]))
    return tuple(found)
