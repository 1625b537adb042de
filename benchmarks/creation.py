"""Strategy creation of one stored day: time by stage, candidates a second, and the bounded search.

Run with ``STRIKELOOM_HOME`` set to a home that has the volatility of the day, after a first run has
filled the cache of compiled code:

    STRIKELOOM_MODE=replay python benchmarks/creation.py nse 2026-02-10 NIFTY
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np

from strikeloom import strategy_creation as creation
from strikeloom.desk import open_desk
from strikeloom.ports.desk import Desk
from strikeloom.quant.candidates.value import Candidates, value_candidates
from strikeloom.settings.creation import SearchSettings
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.chain import Chain
from strikeloom.strategy_creation.search import ChainSearch, Searched, prepare_search, search_all
from strikeloom.strategy_creation.tradable import TradableStrikes

EVERY = SearchSettings(candidates=10**9, starts=1, rounds=0)
NEAR = 0.01
#: Indices and liquid stocks: they have the most strikes.
NAMES = ("NIFTY", "BANKNIFTY", "RELIANCE", "TCS", "INFY", "SBIN", "TATASTEEL", "ITC", "HDFCBANK",
         "LT")  # fmt: skip


def main() -> None:
    """Print everything."""
    market, day, one = (*sys.argv[1:], "nse", "2026-02-10", "NIFTY")[:3]
    desk = open_desk(market, day, stage="strategy-creation")
    for title, names in (("first, loads kernels", [one]), (one, [one]), ("all", [])):
        print(f"{title:<24} wall  processor")
        stage(desk, names)
    known = set(desk.store.iv_history(desk.day, first=desk.day)["symbol"])
    names = [name for name in NAMES if name in known] or sorted(known)[:10]
    chains = list(creation.load_chains(desk, names).chains.values())
    rate(desk, chains[0])
    bounded(desk, chains)


def stage(desk: Desk, names: Sequence[str]) -> None:
    """The whole stage, nothing kept; seconds of each part."""
    began = last = (time.perf_counter(), time.process_time())

    def lap(name: str) -> None:
        nonlocal last
        now = time.perf_counter(), time.process_time()
        _show(name, now[0] - last[0], now[1] - last[1])
        last = now

    loaded = creation.load_chains(desk, names)
    lap("load")
    views, unseen = creation.form_views(desk, loaded, keep=False)
    lap("views")
    built = creation.build(desk, loaded, views)
    lap("build")
    chosen = creation.choose(desk, built)
    lap("choose")
    proposals = creation.propose(desk, chosen)
    lap("propose")
    outcomes = [*unseen, *chosen.outcomes]
    creation.save(desk, "benchmark", loaded, proposals, outcomes, built.fronts, keep=False)
    lap("save")
    _show("together", last[0] - began[0], last[1] - began[1])
    tried = sum(structure.tried for structure in built.structures)
    print(f"  {tried:,} candidates of {len(views)} symbols, {len(proposals)} picked")


def _show(name: str, wall: float, processor: float) -> None:
    print(f"  {name:<20} {wall:6.2f} s  {processor:6.2f} s")


def prepared(desk: Desk, chain: Chain, settings: SearchSettings) -> ChainSearch:
    """A chain ready for a search."""
    own = desk.settings.creation
    strikes = TradableStrikes(chain, own.min_lots_traded)
    return prepare_search(strikes, settings, own.profile(""), own.shocks, desk.settings.iv.rate)


def rate(desk: Desk, chain: Chain) -> None:
    """Candidates of one chain valued on two threads: densities, costs, Greeks."""
    ready = prepared(desk, chain, EVERY)
    found = search_all(ready, list(TEMPLATES.values())).valued
    rows = found.rows[: 10**6]
    units = np.where(np.arange(rows.shape[1]) % 2, -1.0, 1.0) * np.ones(rows.shape)
    best = np.inf
    for _ in range(3):
        began = time.perf_counter()
        value_candidates(Candidates(rows, units), ready.tables, threads=2)
        best = min(best, time.perf_counter() - began)
    print(f"{len(rows) / best:,.0f} candidates of {rows.shape[1]} legs a second, two threads")


def bounded(desk: Desk, chains: Sequence[Chain]) -> None:
    """How often the search by the settings finds a best within 1 % of the best of all."""
    templates, usual = list(TEMPLATES.values()), desk.settings.creation.search
    compared, near, tried, possible, misses = 0, 0, 0, 0, []
    for chain in chains:
        whole = search_all(prepared(desk, chain, EVERY), templates)
        some = search_all(prepared(desk, chain, usual), templates)
        tried, possible = tried + len(some.valued.rank), possible + len(whole.valued.rank)
        for name, best in whole.found.items():
            if best.possible <= usual.candidates:
                continue
            compared += 1
            if _near(whole, some, name):
                near += 1
            else:
                misses.append(f"{chain.underlying.symbol} {name}")
    print(
        f"bounded search of {len(chains)} symbols: {near} of {compared} thinned searches within "
        f"{NEAR:.0%} of the best of all ({tried:,} of {possible:,} candidates)"
    )
    print("\n".join(misses))


def _near(whole: Searched, some: Searched, name: str) -> bool:
    """Whether as few rules fail, and as much is earned, or the first of those is as near."""
    if name not in some.found:
        return False
    (most, best_off), (failed, off) = _missed(whole, name), _missed(some, name)
    if failed or most:
        return (failed, off) <= (most, best_off + NEAR)
    best, found = whole.found[name].rank, some.found[name].rank
    return found >= best - NEAR * abs(best)


def _missed(searched: Searched, name: str) -> tuple[int, float]:
    """Rules that the best fails, and how far the first is off."""
    valued = searched.valued
    mine = np.flatnonzero(valued.owner == searched.names.index(name))
    top = valued.ordered(mine)[0]
    return int(valued.misses.failed[top]), float(valued.misses.away[top])


if __name__ == "__main__":
    main()
