"""Open a desk: turn settings into a market, an account and its ports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypedDict, Unpack

from strikeloom.adapters.alerts.log import LogAlerts
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.parquet.day_tables import DayTables
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.replay.clock import ReplayClock
from strikeloom.adapters.replay.feed import ReplayFeed
from strikeloom.adapters.sim import SimBroker
from strikeloom.adapters.sqlite.quote_cache import SqliteQuoteCache
from strikeloom.adapters.sqlite.store import open_store
from strikeloom.desk.dhan import LivePorts, live_account, live_clock, live_ports, wire
from strikeloom.desk.markets import open_history, resolve_market
from strikeloom.desk.modes import choose_mode
from strikeloom.desk.places import Places, places
from strikeloom.desk.upstream import ensure_upstream
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.domain.progress import Progress
from strikeloom.domain.results import Stage
from strikeloom.errors import MissingHistory, SettingsError
from strikeloom.iv_history import SUMMARY
from strikeloom.nse.edges import ending
from strikeloom.ports.alerts import Alerts
from strikeloom.ports.broker import Broker
from strikeloom.ports.chains import Chains
from strikeloom.ports.clock import Clock
from strikeloom.ports.desk import Desk, Mode
from strikeloom.ports.feed import MarketFeed
from strikeloom.ports.instruments import Instruments
from strikeloom.ports.partitions import Partitions
from strikeloom.ports.quotes import QuoteCache
from strikeloom.ports.store import Store
from strikeloom.settings.all import Settings, load_settings
from strikeloom.trading.page_load import refuse_page_load


class Ports(TypedDict, total=False):
    """Ports that a caller provides; the others are those of a replay."""

    clock: Clock
    feed: MarketFeed
    broker: Broker
    store: Store
    history: ParquetHistory
    instruments: Instruments
    quotes: QuoteCache
    alerts: Alerts
    chains: Chains
    partitions: Partitions
    closers: tuple[Callable[[], None], ...]


def open_desk(
    market: str = "",
    day: str | date | None = None,
    *,
    stage: str = "",
    mode: str = "",
    pace: float = 0.0,
    settings: Settings | None = None,
    home: Path | None = None,
    progress: Progress | None = None,
) -> Desk:
    """Open a desk for one market and one account.

    Parameters
    ----------
    market : str
        ``nse``, ``synthetic``, ``synthetic-<seed>``; empty: by ``config/desk.yaml``. A
        synthetic market that is missing is generated first, once.
    day : str or datetime.date, optional
        Trade date (YYYY-MM-DD); default: the last stored day.
    stage : str
        The stage about to run. Its upstream must have run for the day: on a synthetic market
        it is run now, on any other the desk is refused with the command to run.
    mode : str
        ``replay``, ``simulate``, ``paper``, ``alert`` or ``live``; empty: by
        ``STRIKELOOM_MODE`` and ``config/desk.yaml``.
    pace : float
        Seconds of real time between two snapshots of a replayed day.
    progress : callable, optional
        Called with steps done and steps in all while a market is generated; default: a bar.

    Raises
    ------
    SettingsError
        When the market, mode or day is not usable, or live is not armed; with the remedy. Also
        for the stage execution when the load of a page runs it.
    MissingHistory
        When no day of the market is stored.
    StageError
        When an upstream run is missing or stale.
    """
    if stage == Stage.EXECUTION:
        refuse_page_load("Execution")
    settings = settings or load_settings()
    where = places(home)
    name = resolve_market(market, settings, where)
    chosen_mode = choose_mode(mode, settings, name)
    history = open_history(name, where, progress=progress)
    if chosen_mode is Mode.REPLAY:
        chosen = _day(day) or _last_day(history)
        account = f"replay:{name}"
        store = open_store(where.store, name, account)
        clock = ReplayClock(store, history, ending(chosen), pace)
        desk = assemble_desk(
            name,
            account,
            chosen,
            where,
            settings,
            store=store,
            history=history,
            clock=clock,
            closers=(store.close,),
        )
    else:
        desk, live = real_time_desk(chosen_mode, name, _day(day), where, settings, history)
        lacking = live.arming.lacking() if chosen_mode is Mode.LIVE else ""
        if lacking:
            desk.close()
            raise SettingsError(
                f"mode live: {lacking}; strikeloom arm arms a day, mode alert only reads",
                mode=chosen_mode.value,
            )
    if stage:
        ensure_upstream(desk, Stage(stage))
    return desk


def real_time_desk(
    mode: Mode,
    market: str,
    day: date | None,
    where: Places,
    settings: Settings,
    history: ParquetHistory,
) -> tuple[Desk, LivePorts]:
    """A desk in real time; its day is the last stored one before today.

    Raises
    ------
    SettingsError
        When what the mode needs is not configured.
    MissingHistory
        When no day before today is stored.
    """
    found = wire()
    account = live_account(mode, market, found)
    clock = live_clock(found)
    live = live_ports(mode, account, found, clock, history, where, settings)
    chosen = day or _last_day(history, before=clock.now().date())
    desk = assemble_desk(
        market,
        account,
        chosen,
        where,
        settings,
        mode,
        history=history,
        clock=clock,
        feed=live.feed,
        broker=live.broker,
        instruments=live.instruments,
        chains=live.chains,
        closers=live.closers,
    )
    return desk, live


def assemble_desk(
    market: str,
    account: str,
    day: date,
    where: Places,
    settings: Settings,
    mode: Mode = Mode.REPLAY,
    **ports: Unpack[Ports],
) -> Desk:
    """Put a desk together from the ports given and the replay's for the rest.

    The caller decides which port a mode has. Closing the desk closes what is made here, after
    what the caller gives in ``closers``.
    """
    closers = [*ports.get("closers", ())]
    store = ports.get("store")
    if store is None:
        store = made = open_store(where.store, market, account)
        closers.append(made.close)
    history = ports.get("history") or ParquetHistory(where.history(market), market)
    clock = ports.get("clock") or ReplayClock(store, history, ending(day))
    feed = ports.get("feed") or ReplayFeed(history, clock, settings.desk.replay)
    cash = settings.desk.starting_cash * PAISE_PER_RUPEE
    instruments = HistoryInstruments(history, history.underlyings())
    broker = ports.get("broker")
    if broker is None:
        broker = engine = SimBroker(where.account(account), feed, clock, cash, instruments)
        closers.insert(0, engine.close)
    quotes = ports.get("quotes")
    if quotes is None:
        quotes = cache = SqliteQuoteCache(where.quotes, market)
        closers.append(cache.close)
    return Desk(
        market=market,
        account=account,
        mode=mode,
        home=where.home,
        day=day,
        settings=settings,
        clock=clock,
        feed=feed,
        broker=broker,
        store=store,
        history=history,
        instruments=ports.get("instruments") or instruments,
        quotes=quotes,
        alerts=ports.get("alerts") or LogAlerts(),
        chains=ports.get("chains"),
        closers=tuple(closers),
        partitions=ports.get("partitions") or DayTables(where.volatility(market), SUMMARY),
    )


def _day(given: str | date | None) -> date | None:
    if not given:
        return None
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise SettingsError(f"date {given!r} is not a day; write YYYY-MM-DD") from None


def _last_day(history: ParquetHistory, before: date = date.max) -> date:
    days = [day for day in history.days() if day < before]
    if not days:
        span = f" before {before}" if before < date.max else ""
        raise MissingHistory(
            f"market {history.market} has no stored days{span}; run strikeloom data import PATH "
            "with the exchange's daily files, or use --market synthetic"
        )
    return days[-1]
