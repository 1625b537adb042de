"""Open a local exchange: its market, its day and its accounts."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.recorded import RecordedDay, recorded_day
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk.markets import EXCHANGE, open_history, resolve_market
from strikeloom.desk.places import Places, places
from strikeloom.domain.market_names import is_synthetic
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.errors import MissingHistory, SettingsError
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.file import copy_account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.market.clock import PacedClock, SteppedClock
from strikeloom.exchange.market.settlement_prices import settlement_price
from strikeloom.exchange.market.sources import tape_of_history, tape_of_rows
from strikeloom.exchange.market.synthetic import synthetic_days
from strikeloom.exchange.market.tape import Tape
from strikeloom.exchange.server.clients import Client, Tokens, default_clients, read_clients
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.fault_injection import FaultInjector, read_faults
from strikeloom.exchange.server.faulty_market import FaultyMarket
from strikeloom.exchange.server.load_market import LoadMarket
from strikeloom.exchange.server.rate_limits import ClientRateLimiter, documented_limits
from strikeloom.exchange.server.serve import ExchangeServer
from strikeloom.exchange.server.served_market import ServedMarket
from strikeloom.nse.charges import first_charge_day
from strikeloom.nse.sessions import session
from strikeloom.ports.clock import Clock
from strikeloom.ports.history import History
from strikeloom.settings.all import Settings, load_settings
from strikeloom.settings.desk import ReplaySettings

#: Time that the clock runs on after the close, for settlements and statements.
_AFTER_CLOSE = timedelta(minutes=60)
RECORDED = "recorded:"
_PER_TICK = 0.25  # real seconds between two moves of a market between its snapshots


@dataclass(frozen=True)
class ExchangeOptions:
    """Options of the command.

    Attributes
    ----------
    market : str
        As for a desk, or ``recorded:PATH``: recorded chains in a folder or archive.
    speed : float
        Seconds of the exchange's time in a real second; 0: the clock is stepped through the
        control path.
    limits : bool
        Whether calls are limited as the broker limits them.
    fresh : bool
        Begin the day again: accounts of an earlier start are put aside.
    carry : bool
        A day that was not begun begins with the accounts of the last day served before it.
    ticks : float
        Additional trades in a real second that only the feed shows, as a load.
    beat_seconds : float
        Real seconds between two readings of the market.
    """

    market: str = ""
    day: date | None = None
    port: int = 0
    speed: float = 1.0
    accounts: Path | None = None
    faults: Path | None = None
    limits: bool = True
    fresh: bool = False
    carry: bool = False
    ticks: float = 0.0
    beat_seconds: float = 0.25


@contextmanager
def open_exchange(
    options: ExchangeOptions, *, settings: Settings | None = None, home: Path | None = None
) -> Iterator[ExchangeServer]:
    """Serve a market's day until the block ends.

    A day that was begun continues at the time of its accounts, which survive a restart.

    Raises
    ------
    SettingsError
        When market, day, port or a file is not usable; with the remedy.
    MissingHistory
        When nothing of the day is stored.
    """
    settings = settings or load_settings()
    where = places(home)
    recorded = _recorded(options)
    name = EXCHANGE if recorded else resolve_market(options.market, settings, where)
    history = open_history(name, where)
    day = recorded.day if recorded else options.day or _day(name, history)
    cash = settings.desk.starting_cash * PAISE_PER_RUPEE
    clients = (
        read_clients(options.accounts)
        if options.accounts
        else tuple(replace(client, cash=cash) for client in default_clients())
    )
    played = RECORDED.rstrip(":") if recorded else name
    accounts = _accounts(where, played, day, clients, options)
    start, last = _begin(day, accounts.values()), session(day).close + _AFTER_CLOSE
    seed, switches = read_faults(options.faults) if options.faults else (0, ())
    faults = FaultInjector(switches, seed=seed)
    step = max(1.0, options.speed * _PER_TICK)
    clock: Clock = SteppedClock(start)
    tape = _tape(recorded, history, day, clock, settings.desk.replay, step)
    if options.speed:  # the day begins now, not before it was read
        tape.clock = clock = PacedClock(SystemClock(), start, options.speed, last)
    served: ServedMarket = tape
    if options.ticks:
        served = LoadMarket(tape, options.ticks, time.monotonic)
    market = FaultyMarket(served, faults)
    engines = {
        client: _engine(account, market, clock, history, day)
        for client, account in accounts.items()
    }
    exchange = ExchangeState(
        clock=clock,
        market=market,
        engines=engines,
        tokens=Tokens(clients, clock),
        limiter=ClientRateLimiter(documented_limits() if options.limits else {}, time.monotonic),
        faults=faults,
        seconds=time.monotonic,
        history=history,
        speed=options.speed,
        name=name,
    )
    try:
        beat = options.beat_seconds
        with (
            ExchangeServer(exchange, options.port, beat_seconds=beat) as server,
            _token_file(where, server),
        ):
            yield server
    finally:
        for engine in engines.values():
            engine.close()


def _engine(
    account: Account, market: ServedMarket, clock: Clock, history: ParquetHistory, day: date
) -> Engine:
    """Engine of one account; a market older than any fee schedule is charged by the oldest."""
    return Engine(
        account,
        market,
        clock,
        charges_day=None if day >= first_charge_day() else first_charge_day(),
        history=history,
        adjustments=HistoryInstruments(history, history.underlyings()).adjustments,
    )


def _recorded(options: ExchangeOptions) -> RecordedDay | None:
    """Recorded chains that the market's name refers to."""
    if not options.market.startswith(RECORDED):
        return None
    return recorded_day([Path(options.market.removeprefix(RECORDED)).expanduser()], options.day)


def _tape(
    recorded: RecordedDay | None,
    history: ParquetHistory,
    day: date,
    clock: Clock,
    settings: ReplaySettings,
    step: float,
) -> Tape:
    if recorded:
        rows, listed = recorded.rows, recorded.contracts
        return tape_of_rows(
            rows,
            listed,
            clock,
            tick_seconds=step,
            source=recorded.source,
            settled=partial(settlement_price, history),
            made=recorded.made,
        )
    instruments = HistoryInstruments(history, history.underlyings())
    return tape_of_history(history, instruments, day, clock, settings, tick_seconds=step)


def control_token_file(where: Places, port: int) -> Path:
    """File with the control path's token, readable by its owner only."""
    return where.home / "exchange" / f"control-{port}.token"


@contextmanager
def _token_file(where: Places, server: ExchangeServer) -> Iterator[None]:
    path = control_token_file(where, server.port)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(server.exchange.control_token)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _day(market: str, history: History) -> date:
    """Day to serve: a synthetic market's day of quotes, else the last one stored."""
    if is_synthetic(market):
        return synthetic_days()[2]
    days = history.days()
    if not days:
        raise MissingHistory(
            f"market {market} has no stored days; run strikeloom data import PATH, or serve "
            "--market synthetic"
        )
    return days[-1]


def _accounts(
    where: Places, market: str, day: date, clients: Sequence[Client], options: ExchangeOptions
) -> dict[str, Account]:
    found = {}
    for client in clients:
        path = where.account(f"exchange-{market}-{day}-{client.client_id}")
        if options.fresh:
            _put_aside(path)
        if options.carry and not path.exists():
            _carry(path, f"exchange-{market}-", day, client.client_id)
        found[client.client_id] = Account(path, client.cash)
    return found


def _carry(path: Path, market: str, day: date, client_id: str) -> None:
    """Begin an account with what the client's last one before a day holds, if there is any."""
    earlier = {}
    for other in path.parent.glob(f"{market}????-??-??-{client_id}.db"):
        served = date.fromisoformat(other.name.removeprefix(market)[: len("2026-01-31")])
        if served < day:
            earlier[served] = other
    if earlier:
        copy_account(earlier[max(earlier)], path)


def _put_aside(path: Path) -> None:
    """Rename an earlier account, so that its trades are kept."""
    if not path.exists():
        return
    number = 1
    while path.with_suffix(f".{number}.db").exists():
        number += 1
    for tail in ("", "-wal", "-shm"):
        old = path.with_name(path.name + tail)
        if old.exists():
            old.rename(path.with_suffix(f".{number}.db{tail}"))


def _begin(day: date, accounts: Iterable[Account]) -> datetime:
    """Time to begin at: the open, or the latest time of an account of the day."""
    moments = [session(day).open]
    for account in accounts:
        matched = account.matched_to()
        moments += [matched] if matched else []
        moments += [order.updated_at for order in account.orders.all()]
    latest = max(moments)
    if latest >= session(day).close:
        raise SettingsError(
            f"the accounts of {day} are at {latest:%H:%M}, their session is over; begin the "
            "day again with --fresh (earlier trades are kept in renamed files)"
        )
    return latest
