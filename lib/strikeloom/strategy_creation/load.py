"""Input of stage 02: today's chains, with the volatility from stage 01."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from strikeloom.domain.instruments import FUTURE_RIGHT, Underlying
from strikeloom.domain.outcomes import Outcome, Rule
from strikeloom.domain.results import Stage
from strikeloom.domain.volatility import IvRank
from strikeloom.errors import DataError, StageError
from strikeloom.nse.edges import expected_after
from strikeloom.ports.desk import Desk
from strikeloom.ports.history import Past
from strikeloom.strategy_creation.bars import DailyBars, read_bars
from strikeloom.strategy_creation.chain import Chain
from strikeloom.strategy_creation.chain_events import ChainEvents, read_chain_events
from strikeloom.strategy_creation.flow import Flow, read_flow
from strikeloom.strategy_creation.index_history import (
    NO_INDEX_HISTORY,
    IndexHistory,
    read_index_history,
)
from strikeloom.strategy_creation.listing import (
    DayListing,
    chain_expiry,
    forecast_expiries,
    named_expiries,
    read_listing,
    why_unusable,
)
from strikeloom.strategy_creation.refusal import refused_symbol

if TYPE_CHECKING:
    import pandas as pd

_BANNED = "in the ban period: above the market-wide position limit, no new positions"


@dataclass(frozen=True)
class LoadedChains:
    """Chains by symbol, the symbols without one, and the stage 01 run they come from.

    ``summary`` has stage 01's row of every symbol of the exchange, ``indices`` the market's index
    and its volatility; ``warnings`` is what could not
    be checked, and former names that led to a symbol.
    """

    chains: dict[str, Chain]
    refused: list[Outcome]
    bars: DailyBars
    summary: pd.DataFrame
    indices: IndexHistory
    upstream: str
    universe: list[str] = field(default_factory=list)
    warnings: tuple[str, ...] = ()


def load_chains(desk: Desk, symbols: Sequence[str] | None = None) -> LoadedChains:
    """Join today's contracts with stage 01's volatility.

    A symbol may be a former name: its underlying is used, and the rename is a warning.

    Raises
    ------
    StageError
        When stage 01 has no finished run for the day, or a version with other windows ranked it;
        names the command.
    """
    run = desk.store.latest_run(Stage.IV_HISTORY, desk.day)
    if run is None:
        raise StageError(
            f"iv-history has no finished run for {desk.day} on market {desk.market}; run "
            f"strikeloom run iv-history --date {desk.day}"
        )
    whole = desk.store.iv_history(desk.day, first=desk.day)
    past = desk.history.as_of(desk.day)
    today, warnings = _chosen(whole, past, symbols or ())
    ranks = _ranks(desk, today)
    contracts, banned = past.contracts(desk.day), _banned(past, desk.day)
    listing = read_listing(desk, contracts[contracts["symbol"].isin(today["symbol"])])
    flows = _flows(whole, contracts)
    bars = read_bars(desk, sorted(whole["symbol"]))
    usable: list[tuple[_Summary, Underlying]] = []
    refused: list[Outcome] = []
    for row in _read_summaries(today):
        if why := _why_not(desk, row, listing, banned or frozenset()):
            rule = Rule.BAN if why == _BANNED else Rule.CHAIN
            refused += refused_symbol(row.symbol, rule, why)
            continue
        try:
            usable.append((row, desk.instruments.underlying(row.symbol)))
        except DataError as error:  # listed after the sector table was written
            refused += refused_symbol(row.symbol, Rule.CHAIN, str(error))
    if banned is None:
        warnings.append(f"no ban list of {desk.day} is stored; stocks are not checked against it")
    events = read_chain_events(desk, past, frozenset(whole["symbol"]))
    warnings += events.warnings
    indices = read_index_history(desk)
    if not indices.is_known:
        warnings.append(NO_INDEX_HISTORY)
    return LoadedChains(
        _chains(desk, listing, usable, bars, ranks, flows, indices, events),
        refused,
        bars,
        whole,
        indices,
        run.run_id,
        sorted(today["symbol"]),
        tuple(warnings),
    )


def _chosen(
    whole: pd.DataFrame, past: Past, names: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Rows of the named symbols, without names of all; and the renames that led to them."""
    if not names:
        return whole, []
    found = [past.known_as(name) for name in names]
    symbols = {item.symbol for item in found}
    unknown = sorted(symbols - set(whole["symbol"]))
    if unknown:
        near = difflib.get_close_matches(unknown[0], set(whole["symbol"]), n=1)
        hint = f"did you mean {near[0]}?" if near else "is the symbol listed?"
        raise DataError(f"no volatility row for {', '.join(unknown)} on {past.day}; {hint}")
    return whole[whole["symbol"].isin(symbols)], [item.note for item in found if item.note]


def _ranks(desk: Desk, today: pd.DataFrame) -> dict[str, IvRank]:
    """Ranks of the day; a version that ranks over other windows may have dropped them."""
    ranks = desk.store.ranks(desk.day)
    if unranked := set(today["symbol"]) - set(ranks):
        raise StageError(
            f"{len(unranked)} symbols, {min(unranked)} among them, are not ranked on {desk.day}; "
            f"run strikeloom run iv-history --date {desk.day}, which ranks them"
        )
    return ranks


def _banned(past: Past, day: date) -> frozenset[str] | None:
    """Stocks that cannot be entered on the day after; ``None`` where no list is stored.

    Without the list of that day, which is out the evening before, by the list of the day itself.
    """
    listed = past.banned(expected_after(day))
    return past.banned(day) if listed is None else listed


class _Summary(NamedTuple):
    """Columns of a summary row of stage 01; without a volatility only symbol and reason count."""

    symbol: str
    expiry: pd.Timestamp
    spot: float
    forward: float
    atm_iv: float
    reason: str


def _why_not(desk: Desk, row: _Summary, listing: DayListing, banned: frozenset[str]) -> str:
    """Why a symbol has no chain; empty when it has one."""
    if row.symbol in banned:
        return _BANNED
    if math.isnan(row.atm_iv):
        return f"no volatility: {row.reason}"
    expiry, most = row.expiry.date(), desk.settings.creation.max_days_to_expiry
    if (days := (expiry - desk.day).days) > most:
        return f"its nearest usable expiry {expiry} is {days} days away, and at most {most} count"
    return why_unusable(listing, row.symbol, expiry)


def _read_summaries(frame: pd.DataFrame) -> list[_Summary]:
    columns = (frame[name].to_list() for name in _Summary._fields)
    return [_Summary(*row) for row in zip(*columns, strict=True)]


def _flows(summary: pd.DataFrame, contracts: pd.DataFrame) -> dict[str, Flow]:
    """Flow of the front of every symbol that has a volatility, requested or not."""
    import pandas as pd

    known = summary[summary["atm_iv"].notna()]
    chain = pd.Index(known["symbol"]).get_indexer(contracts["symbol"])
    front = known["expiry"].to_numpy()[chain]  # of -1 the last one, which does not count
    mine = (chain >= 0) & (contracts["expiry"].to_numpy() == front)
    mine &= (contracts["right"] != FUTURE_RIGHT).to_numpy()
    flows = read_flow(contracts[mine], chain[mine], known["forward"].to_numpy(dtype=np.float64))
    return dict(zip(known["symbol"], flows, strict=True))


def _chains(
    desk: Desk,
    listing: DayListing,
    usable: Sequence[tuple[_Summary, Underlying]],
    bars: DailyBars,
    ranks: Mapping[str, IvRank],
    flows: Mapping[str, Flow],
    indices: IndexHistory,
    events: ChainEvents,
) -> dict[str, Chain]:
    """Chains by symbol: the front, and with it the next and the monthly expiry."""
    named = {
        row.symbol: named_expiries(listing, row.symbol, row.expiry.date()) for row, _ in usable
    }
    dates: dict[str, list[date]] = {}
    missing: dict[str, dict[date, str]] = {}
    for row, _ in usable:
        after, monthly = named[row.symbol]
        whole = sorted({row.expiry.date(), monthly, *([after] if after else [])})
        why = {expiry: why_unusable(listing, row.symbol, expiry) for expiry in whole}
        missing[row.symbol] = {expiry: reason for expiry, reason in why.items() if reason}
        dates[row.symbol] = [expiry for expiry in whole if not why[expiry]]
    variance = forecast_expiries(desk, bars, dates)
    return {
        row.symbol: Chain(
            underlying,
            desk.day,
            row.spot,
            ranks[row.symbol],
            tuple(
                chain_expiry(
                    desk,
                    listing,
                    underlying,
                    expiry,
                    row.spot,
                    variance.get((row.symbol, expiry)),
                    indices,
                )
                for expiry in dates[row.symbol]
            ),
            *named[row.symbol],
            missing[row.symbol],
            flows[row.symbol],
            desk.instruments.tick(row.symbol, underlying.kind, desk.day),
            events.ahead(underlying),
        )
        for row, underlying in usable
    }
