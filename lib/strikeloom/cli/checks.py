"""The checks of ``doctor``."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from strikeloom.adapters.dhan.account_rows import funds_of
from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.errors import checked_body
from strikeloom.adapters.dhan.rate_limiter import CallClass
from strikeloom.adapters.dhan.stream import FeedStream
from strikeloom.adapters.dhan.ticks import TickQueue
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.sqlite.store import open_store, stored_accounts
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk.dhan import CLIENT_ID, TOKEN, Wire, shared_limits, wire
from strikeloom.desk.keys import secrets_of
from strikeloom.desk.places import notebooks_folder, places
from strikeloom.domain.folders import config_folder
from strikeloom.domain.results import Stage
from strikeloom.errors import StoreError, StrikeloomError, UnknownSession, Unreachable
from strikeloom.nse.edges import expected_after
from strikeloom.nse.events import read_events
from strikeloom.nse.session_table import own_sessions
from strikeloom.nse.sessions import calendar, next_trading_day
from strikeloom.runner.kernel import ensure_kernel
from strikeloom.runner.parameters import read_parameters
from strikeloom.settings.all import load_settings
from strikeloom.trading.shortages import owed_shares

_FEED_SECONDS = 5.0
_AHEAD = timedelta(days=30)


class CheckVerdict(StrEnum):
    """What a check found."""

    GOOD = "good"
    WARNING = "warning"  # works today; something is to be done before long
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check."""

    what: str
    verdict: CheckVerdict
    detail: str


@dataclass(frozen=True, slots=True)
class _Warned:
    """What a check returns in place of its detail when something is to be done before long."""

    detail: str


def examine() -> Iterator[Finding]:
    """Run every check; a failed one does not stop the next."""
    for what, check in _CHECKS:
        try:
            found = check()
        except (StrikeloomError, OSError) as error:
            yield Finding(what, CheckVerdict.FAILED, str(error))
            continue
        if isinstance(found, _Warned):
            yield Finding(what, CheckVerdict.WARNING, found.detail)
        else:
            yield Finding(what, CheckVerdict.GOOD, found)


def _python() -> str:
    return f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}"


def _settings() -> str:
    load_settings()
    events = read_events()
    return f"{config_folder()} is valid, {len(events)} known events"


def _home() -> str:
    home = places().home
    free = shutil.disk_usage(home).free / 2**30
    return f"{home}, {free:.1f} GB free"


def _keys() -> str:
    names = sorted(secrets_of())
    return f"{len(names)} keys in .env: {', '.join(names)}" if names else "no .env; none needed"


def _kernel() -> str:
    return str(ensure_kernel())


def _notebooks() -> str:
    for stage in Stage:
        read_parameters(notebooks_folder() / stage.notebook)
    return f"{len(list(Stage))} in {notebooks_folder()}"


def _calendar() -> str | _Warned:
    return calendar_ahead(SystemClock().now().date())


def calendar_ahead(today: date) -> str | _Warned:
    """How far ahead the trading calendar reaches.

    The exchange publishes a year's holidays in December, so that for some weeks of every year
    the calendar ends within a month.

    Raises
    ------
    UnknownSession
        When today or the next session is not known.
    """
    following = next_trading_day(today)
    try:
        next_trading_day(today + _AHEAD)
    except UnknownSession:
        last = calendar().last
        return _Warned(
            f"the next session is {following}; days after {last} are not known: add the "
            f"holidays of {last.year + 1} to {own_sessions()} when the exchange publishes them "
            "(usually in December), or update strikeloom"
        )
    return f"covers the coming month; the next session is {following}"


def _market() -> str:
    found = sorted(
        folder.name
        for folder in places().histories.glob("[!.]*/")
        if ParquetHistory(folder, folder.name).days()
    )
    return ", ".join(found) or "none stored; strikeloom demo or strikeloom data import PATH"


def _positions() -> str:
    """Replay the fills of every account and compare with the positions kept."""
    path = places().store
    if not path.exists():
        return "no account yet"
    accounts = stored_accounts(path)
    for market, account in accounts:
        store = open_store(path, market, account)
        try:
            differ = store.audit_positions()
        finally:
            store.close()
        if differ:
            raise StoreError(
                f"positions of {account} differ from their fills: {', '.join(differ)}; the next "
                "strikeloom watch rebuilds them from the fills",
                positions=tuple(differ),
            )
    count = len(accounts)
    return f"agree with all fills in {count} account{'s' * (count != 1)}"


def _shortages() -> str | _Warned:
    """Shares that are still owed after their auction, of every account."""
    path, texts = places().store, []
    today = SystemClock().now().date()
    for market, account in stored_accounts(path) if path.exists() else ():
        store = open_store(path, market, account)
        try:
            clock = store.replay_time()
            now = today if clock is None else clock.date()
            owed = owed_shares(store.positions())
        finally:
            store.close()
        late = [it for it in owed if expected_after(it.since) < now]
        texts += [f"{account} {it.sentence(reported=False)}" for it in late]
    return _Warned("; ".join(texts)) if texts else "no shares are owed after their auction"


def _broker() -> str:
    found = wire()
    if found.credentials is None:
        return f"none configured ({CLIENT_ID} and {TOKEN} are not both set); replay only"
    where = "a local exchange" if found.is_local else "Dhan"
    limits = shared_limits(found, places())
    client = DhanClient(found.credentials, found.addresses, limits, answer_seconds=5.0)
    try:
        answer = client.call(CallClass.OTHER, "get_fund_limits")
        funds_of(checked_body(answer, "the funds", found.credentials, changes=False))
    finally:
        client.close()
    failure = _feed_failure(found)
    if failure:
        raise Unreachable(f"{where} answers requests, but its market feed failed: {failure}")
    return f"{where} answers requests, and its market feed accepts the connection"


def _feed_failure(found: Wire) -> str:
    """Why the market feed cannot be connected; empty when it can."""
    assert found.credentials is not None  # noqa: S101 (checked before)
    stream = FeedStream(found.credentials, found.addresses, TickQueue(), lambda _: None)
    stream.start()
    try:
        until = time.monotonic() + _FEED_SECONDS
        while time.monotonic() < until:
            status = stream.status
            if status.connected or status.failure:
                return "" if status.connected else status.failure
            time.sleep(0.05)
        return f"no connection within {_FEED_SECONDS:.0f} s"
    finally:
        stream.stop()


_CHECKS: tuple[tuple[str, Callable[[], str | _Warned]], ...] = (
    ("python", _python),
    ("settings", _settings),
    ("home", _home),
    ("keys", _keys),
    ("kernel", _kernel),
    ("notebooks", _notebooks),
    ("calendar", _calendar),
    ("markets", _market),
    ("positions", _positions),
    ("shortages", _shortages),
    ("broker", _broker),
)
