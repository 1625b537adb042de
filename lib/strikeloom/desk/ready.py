"""Arm a day for real orders if all checks pass; report every reason when they do not."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.rate_limiter import CallClass
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk.markets import open_history, resolve_market
from strikeloom.desk.modes import choose_mode
from strikeloom.desk.open import real_time_desk
from strikeloom.desk.places import places
from strikeloom.errors import BrokerError, DataError, SettingsError
from strikeloom.nse.sessions import is_trading_day
from strikeloom.ports.desk import Desk, Mode
from strikeloom.settings.all import Settings, load_settings
from strikeloom.trading.alert import alert
from strikeloom.trading.reconcile import reconcile

_INDEX = "NIFTY"


def arm(
    market: str,
    digits: str,
    day: str,
    *,
    settings: Settings | None = None,
    home: Path | None = None,
) -> str:
    """Arm the configured account for today, and return the account's name.

    Parameters
    ----------
    digits : str
        Last four digits of the client id, as a person typed them.
    day : str
        Today, YYYY-MM-DD, as a person typed it.

    Raises
    ------
    SettingsError
        When settings do not allow it, digits or day do not match, or a check fails; with every
        reason. Nothing is armed then.
    """
    settings = settings or load_settings()
    where = places(home)
    name = resolve_market(market, settings, where)
    mode = choose_mode(Mode.LIVE, settings, name)
    desk, live = real_time_desk(mode, name, None, where, settings, open_history(name, where))
    with desk:
        today = live.arming.confirm(digits, day)
        reasons = not_ready(desk, live.client, live.instruments)
        if reasons:
            raise SettingsError(f"nothing is armed: {'; '.join(reasons)}", reasons=reasons)
        live.arming.arm(today)
        alert(desk, "critical", f"{desk.account} is armed for {today}: real orders may be sent")
        return desk.account


def disarm(*, home: Path | None = None) -> list[str]:
    """Block real orders of all accounts of this home; return the accounts that were armed."""
    found = sorted(places(home).arming.glob("*.json"))
    for path in found:
        path.unlink(missing_ok=True)
    return [path.stem for path in found]


def not_ready(desk: Desk, client: DhanClient, instruments: DhanInstruments) -> list[str]:
    """Reasons why the desk's day must not be armed; empty when all checks pass."""
    checks = (_day(desk, instruments), _limits(client), _clock(desk, client), _record(desk))
    return [reason for check in checks for reason in check]


def _day(desk: Desk, instruments: DhanInstruments) -> Iterator[str]:
    today = desk.clock.now().date()
    if not is_trading_day(today):
        yield f"{today} is not a trading day"
    if instruments.in_force() != today:
        yield f"the instrument list of {today} is not out yet"
        return
    try:
        instruments.spot_of(_INDEX, today)
    except (DataError, BrokerError) as error:
        yield f"the instrument list of {today} is missing: {error}"


def _limits(client: DhanClient) -> Iterator[str]:
    failure = client.limits.failure()
    if failure:
        yield f"calls cannot be counted together with other processes: {failure}"


def _clock(desk: Desk, client: DhanClient) -> Iterator[str]:
    """Compare the machine's time with the one in the broker's response."""
    try:
        answer = client.call(CallClass.OTHER, "get_fund_limits")
        broker_time = parsedate_to_datetime(answer.headers["date"])
        off = abs((SystemClock().now() - broker_time).total_seconds())
    except (
        BrokerError,
        KeyError,
        ValueError,
        TypeError,
    ) as error:  # or no zone
        yield f"the broker's time is not known ({type(error).__name__})"
        return
    most = desk.settings.desk.live.max_clock_seconds
    if off > most:
        yield f"this machine's clock is {off:.0f} s off the broker's, {most:.0f} s are allowed"


def _record(desk: Desk) -> Iterator[str]:
    """Orders, fills and positions must agree with the broker's."""
    try:
        found = reconcile(desk)
    except (BrokerError, DataError) as error:
        yield f"the account cannot be read: {error}"
        return
    yield from (f"positions differ: {text}" for text in found.differences)
    yield from (
        f"the status of order {name} is unknown; strikeloom orders resolve settles it"
        for name in found.unresolved
    )
    yield from (
        f"order {name} is open at the broker after its intent was abandoned"
        for name in found.late_orders
    )
    switch = desk.store.kill_switch()
    if switch.engaged:
        yield f"the kill switch is engaged: {switch.reason}"
