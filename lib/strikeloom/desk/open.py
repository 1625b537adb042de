"""Open a desk: settings and a mode become market, account, clock, feed, broker and store."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from strikeloom.adapters.alerts.log import LogAlerts
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.replay.clock import ReplayClock
from strikeloom.adapters.replay.feed import ReplayFeed
from strikeloom.adapters.sim import SimBroker
from strikeloom.adapters.sqlite.quote_cache import SqliteQuoteCache
from strikeloom.adapters.sqlite.store import open_store
from strikeloom.desk.markets import open_history, resolve_market
from strikeloom.desk.upstream import ensure_upstream
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.domain.results import Stage
from strikeloom.errors import MissingHistory, SettingsError
from strikeloom.exchange.market import seed_of
from strikeloom.nse.sessions import session
from strikeloom.ports.desk import Desk, Mode
from strikeloom.settings.all import Settings, load_settings, project_root
from strikeloom.trading.lease import file_name


def desk_home() -> Path:
    """``STRIKELOOM_HOME``, else ``.strikeloom`` of the project."""
    given = os.environ.get("STRIKELOOM_HOME")
    return Path(given).expanduser() if given else project_root() / ".strikeloom"


def open_desk(
    market: str = "",
    day: str | date | None = None,
    *,
    stage: str = "",
    mode: str = "",
    pace: float = 0.0,
    settings: Settings | None = None,
) -> Desk:
    """Open a desk.

    Parameters
    ----------
    market : str
        ``nse``, ``synthetic``, ``synthetic-<seed>``; empty: as ``config/desk.yaml`` says.
    day : str or datetime.date, optional
        Trade date to work on; default: the last stored day.
    stage : str
        Stage about to run. On a synthetic market its missing upstream stages are run once;
        on any other they are refused where they are needed.
    mode : str
        ``replay``; the other modes need a broker.
    pace : float
        Seconds of real time between two snapshots of a replayed day.

    Raises
    ------
    SettingsError
        When the market, mode or day is not usable; says what to do.
    MissingHistory
        When nothing is stored.
    """
    settings = settings or load_settings()
    _replay_only(mode or settings.desk.mode)
    home = desk_home()
    name = resolve_market(market, home, settings.desk)
    history = open_history(home, name)
    days = history.days()
    if not days:
        raise MissingHistory(
            f"market {name} has no stored days; run strikeloom data import PATH with the "
            "exchange's daily files, or use --market synthetic"
        )
    account = f"replay:{name}"
    store = open_store(home / "store.db", name, account)
    chosen = _day(day) or days[-1]
    clock = ReplayClock(store, history, session(chosen).close, pace)
    feed = ReplayFeed(history, clock, settings.desk.replay)
    desk = Desk(
        market=name,
        account=account,
        mode=Mode.REPLAY,
        home=home,
        day=chosen,
        settings=settings,
        clock=clock,
        feed=feed,
        broker=SimBroker(
            home / "accounts" / f"{file_name(account)}.db",
            feed,
            clock,
            settings.desk.starting_cash * PAISE_PER_RUPEE,
        ),
        store=store,
        history=history,
        instruments=HistoryInstruments(history, history.underlyings()),
        quotes=SqliteQuoteCache(home / "quotes.db", name),
        alerts=LogAlerts(),
    )
    if stage and seed_of(name) is not None:
        ensure_upstream(desk, Stage(stage))
    return desk


def _replay_only(mode: str) -> None:
    known = [item.value for item in Mode]
    if mode not in ("auto", *known):
        raise SettingsError(f"mode {mode!r} is unknown; use one of {', '.join(known)}")
    if mode not in ("auto", Mode.REPLAY.value):
        raise SettingsError(
            f"mode {mode} needs a broker, and no broker adapter is configured; use --mode replay"
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
