"""Input of stage 02: today's chains, with the volatility from stage 01."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from strikeloom.domain.instruments import Underlying
from strikeloom.domain.money import rupees
from strikeloom.domain.results import Stage
from strikeloom.domain.volatility import IvRank
from strikeloom.errors import DataError, StageError
from strikeloom.nse.edges import ending, expected_after, expected_days
from strikeloom.nse.sessions import years_to_expiry
from strikeloom.ports.desk import Desk
from strikeloom.ports.history import Past
from strikeloom.ports.store import Rejection
from strikeloom.quant.probability.past_moves import PastMoves
from strikeloom.quant.smile.fit import SmileKind
from strikeloom.strategy_creation.bars import DailyBars, forecast_variance, read_bars
from strikeloom.strategy_creation.flow import Flow, read_flow
from strikeloom.strategy_creation.index_history import (
    NO_INDEX_HISTORY,
    IndexHistory,
    read_index_history,
)
from strikeloom.strategy_creation.smile import ChainQuotes, Smile, fit_chains

if TYPE_CHECKING:
    import pandas as pd

ALL = "*"
_BANNED = "in the ban period: above the market-wide position limit, no new positions"


@dataclass(frozen=True)
class Chain:
    """One underlying's options of the expiry that its volatility comes from.

    Attributes
    ----------
    years : float
        To expiry, on the year basis of its volatility (``iv.year_basis``).
    rows : pandas.DataFrame
        ``CONTRACTS`` columns; options that traded, of this expiry.
    flow : Flow
        Open interest and volume of all contracts of the expiry.
    smile : Smile
        Fitted to the out-of-the-money options among ``rows``.
    forecast : float or None
        Variance until expiry, forecast from daily bars, not annualised; ``None`` when the
        underlying lacks a complete month of bars.
    tick : int
        Price step of its options in paise.
    past : PastMoves
        Past moves of the market's index over the sessions until expiry.
    """

    underlying: Underlying
    day: date
    expiry: date
    years: float
    spot: float
    forward: float
    atm_iv: float
    rank: IvRank
    rows: pd.DataFrame
    flow: Flow
    smile: Smile
    forecast: float | None
    tick: int
    past: PastMoves


@dataclass(frozen=True)
class LoadedChains:
    """Chains by symbol, the symbols without one, and the stage 01 run they come from.

    ``warnings``: what could not be checked, and former names that led to a symbol.
    """

    chains: dict[str, Chain]
    refused: list[Rejection]
    bars: DailyBars
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
    options = contracts[contracts["right"] != "XX"]
    by_symbol: dict[Hashable, pd.DataFrame] = dict(
        iter(options.groupby(["symbol", "expiry"], sort=False))
    )
    flows = _flows(whole, by_symbol)
    bars = read_bars(desk, sorted(whole["symbol"]))
    forecasts = _forecasts(desk, bars, whole)
    listed: list[_ListedChain] = []
    refused: list[Rejection] = []
    for row in _read_summaries(today):
        if why := _why_not(desk, row, banned or frozenset()):
            refused.append(Rejection(row.symbol, ALL, why))
            continue
        try:
            underlying = desk.instruments.underlying(row.symbol)
        except DataError as error:  # listed after the sector table was written
            refused.append(Rejection(row.symbol, ALL, str(error)))
            continue
        rows = by_symbol[(row.symbol, row.expiry)]
        last_day = rows["last_day"].min()
        if last_day < row.expiry:  # false for NaT, where the source lacks the day
            reason = f"the exchange ends this series on {last_day:%Y-%m-%d}, before its expiry"
            refused.append(Rejection(row.symbol, ALL, reason))
            continue
        tick = desk.instruments.tick(row.symbol, underlying.kind, desk.day)
        variance = forecasts.get(row.symbol)
        listed.append(_ListedChain(row, underlying, rows, flows[row.symbol], variance, tick))
    history = read_index_history(desk)
    chains, unread = _chains(desk, listed, ranks, history)
    if banned is None:
        warnings.append(f"no ban list of {desk.day} is stored; stocks are not checked against it")
    if not history.is_known:
        warnings.append(NO_INDEX_HISTORY)
    return LoadedChains(
        chains,
        refused + unread,
        bars,
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
        raise DataError(
            f"no volatility row for {', '.join(unknown)} on {past.day}; is the symbol listed?"
        )
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
    years: float
    spot: float
    forward: float
    atm_iv: float
    reason: str


def _why_not(desk: Desk, row: _Summary, banned: frozenset[str]) -> str:
    """Why a symbol has no chain, by its summary; empty when it may have one."""
    if row.symbol in banned:
        return _BANNED
    if math.isnan(row.atm_iv):
        return f"no volatility: {row.reason}"
    days = (row.expiry.date() - desk.day).days
    return "no expiry near enough" if days > desk.settings.creation.max_days_to_expiry else ""


def _read_summaries(frame: pd.DataFrame) -> list[_Summary]:
    columns = (frame[name].to_list() for name in _Summary._fields)
    return [_Summary(*row) for row in zip(*columns, strict=True)]


def _flows(summary: pd.DataFrame, by_symbol: dict[Hashable, pd.DataFrame]) -> dict[str, Flow]:
    """Flow of every chain that has a volatility, requested or not."""
    known = _read_summaries(summary[summary["atm_iv"].notna()])
    flows = read_flow(
        [by_symbol[row.symbol, row.expiry] for row in known], [row.forward for row in known]
    )
    return {row.symbol: flow for row, flow in zip(known, flows, strict=True)}


def _forecasts(desk: Desk, bars: DailyBars, summary: pd.DataFrame) -> dict[str, float]:
    """Variance until expiry of every symbol that has a volatility and a month of bars."""
    known = _read_summaries(summary[summary["atm_iv"].notna()])
    expiries = {row.expiry for row in known}
    until = {expiry: _sessions_left(desk.day, expiry.date()) for expiry in expiries}
    left = {row.symbol: until[row.expiry] for row in known}
    return forecast_variance(bars, left)


def _sessions_left(day: date, expiry: date) -> int:
    return len(expected_days(day, expiry)) - 1


class _ListedChain(NamedTuple):
    """A summary row of stage 01 with its listed contracts; tick in paise."""

    summary: _Summary
    underlying: Underlying
    rows: pd.DataFrame
    flow: Flow
    forecast: float | None
    tick: int


def _chains(
    desk: Desk, listed: list[_ListedChain], ranks: dict[str, IvRank], history: IndexHistory
) -> tuple[dict[str, Chain], list[Rejection]]:
    """Smiles of all chains at once; a chain without one is refused."""
    traded = [item.rows[item.rows["traded"]] for item in listed]
    close = ending(desk.day)
    quotes = [
        ChainQuotes(
            rows,
            item.summary.forward,
            years_to_expiry(close, item.summary.expiry.date()),
            item.summary.years,
            rupees(item.tick),
        )
        for item, rows in zip(listed, traded, strict=True)
    ]
    smiles = fit_chains(quotes, desk.settings.iv.rate)
    chains: dict[str, Chain] = {}
    refused: list[Rejection] = []
    for item, rows, smile in zip(listed, traded, smiles, strict=True):
        row = item.summary
        if smile.kind is SmileKind.REFUSED:
            reason = "no smile: no out-of-the-money option of the expiry has a volatility"
            refused.append(Rejection(row.symbol, ALL, reason))
            continue
        chains[row.symbol] = Chain(
            item.underlying,
            desk.day,
            row.expiry.date(),
            row.years,
            row.spot,
            row.forward,
            row.atm_iv,
            ranks[row.symbol],
            rows,
            item.flow,
            smile,
            item.forecast,
            item.tick,
            history.over(_sessions_left(desk.day, row.expiry.date())),
        )
    return chains, refused
