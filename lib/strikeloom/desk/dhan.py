"""Desks in real time: Dhan's feed, with orders to Dhan, a local exchange or a simulated broker.

The configuration is read from the environment and ``.env``: ``DHAN_CLIENT_ID`` and
``DHAN_ACCESS_TOKEN``, and the ``STRIKELOOM_DHAN_`` addresses that a local exchange prints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial

from strikeloom.adapters.alerts.log import LogAlerts
from strikeloom.adapters.dhan.broker import DhanBroker
from strikeloom.adapters.dhan.call_counters import SharedCallCounter
from strikeloom.adapters.dhan.chains import DhanChains
from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.clock import ExchangeClock, WakefulClock
from strikeloom.adapters.dhan.credentials import Addresses, Credentials
from strikeloom.adapters.dhan.feed import DhanFeed
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.master_store import MasterStore, fetch_master
from strikeloom.adapters.dhan.rate_limiter import RateLimiter
from strikeloom.adapters.dhan.settlements import Settlements
from strikeloom.adapters.dhan.updates import OrderUpdates
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.logged import LoggedBroker
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.refusing import RefusingBroker
from strikeloom.adapters.sim import SimBroker
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk.arming import Arming
from strikeloom.desk.keys import environment, secret
from strikeloom.desk.places import Places
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.errors import SettingsError
from strikeloom.ports.broker import Broker
from strikeloom.ports.desk import Desk, Mode
from strikeloom.settings.all import Settings
from strikeloom.settings.secrets import Secret

CLIENT_ID, TOKEN = "DHAN_CLIENT_ID", "DHAN_ACCESS_TOKEN"
_PREFIX = "STRIKELOOM_DHAN_"
_PAPER = "STRIKELOOM_PAPER"
EXCHANGE = "nse"


@dataclass(frozen=True, slots=True)
class Wire:
    """Configured addresses and credentials.

    Attributes
    ----------
    credentials : Credentials or None
        ``None`` without a client id or a token.
    plays : str
        Market that the local exchange serves; empty when it is not named.
    """

    addresses: Addresses
    credentials: Credentials | None
    plays: str = ""

    @property
    def is_local(self) -> bool:
        """Whether the addresses are those of a local exchange."""
        return self.addresses.local


@dataclass(frozen=True, slots=True)
class LivePorts:
    """Ports of a desk in real time."""

    clock: WakefulClock
    feed: DhanFeed
    broker: Broker
    instruments: DhanInstruments
    chains: DhanChains
    closers: tuple[Callable[[], None], ...]
    client: DhanClient
    arming: Arming


def wire() -> Wire:
    """Read the configuration. Nothing is connected.

    Raises
    ------
    SettingsError
        When ``.env`` can be read by others, or some addresses are local and others are not.
    """
    given = {
        field.name: found
        for field in fields(Addresses)
        if (found := environment(_PREFIX + field.name.upper()))
    }
    addresses = Addresses(**given)
    if given and not addresses.local:
        needed = ", ".join(_PREFIX + name for name in ("REST", "FEED", "ORDERS"))
        raise SettingsError(
            f"the {_PREFIX} addresses do not all lead to this machine; set {needed} as strikeloom "
            "exchange prints them, or none of them"
        )
    client_id, token = secret(CLIENT_ID), secret(TOKEN)
    known = client_id is not None and token is not None
    plays = (environment("STRIKELOOM_MARKET") or "") if addresses.local else ""
    credentials = Credentials(client_id, _token) if client_id and known else None
    return Wire(addresses, credentials, plays)


def _token() -> Secret:
    """The current token, read at each connect, so that a renewed one is used.

    Raises
    ------
    SettingsError
        When there is none any more.
    """
    found = secret(TOKEN)
    if found is None:
        raise SettingsError(f"{TOKEN} is gone from the environment and .env; set it again")
    return found


def live_account(mode: Mode, market: str, found: Wire) -> str:
    """Account of a desk in real time.

    Raises
    ------
    SettingsError
        When what the mode needs is not configured; with the remedy.
    """
    if found.credentials is None:
        raise SettingsError(
            f"mode {mode} needs {CLIENT_ID} and {TOKEN}, in the environment or in .env beside the "
            "notebooks",
            mode=mode.value,
        )
    if mode is Mode.PAPER and not found.is_local:
        raise SettingsError(
            "mode paper needs a local exchange: run strikeloom exchange, and set the "
            f"{_PREFIX} lines that it prints",
            mode=mode.value,
        )
    if mode is not Mode.PAPER and found.is_local:
        raise SettingsError(
            f"mode {mode} reads the real market, and the {_PREFIX} addresses lead to a local "
            "exchange; use mode paper, or unset them",
            mode=mode.value,
        )
    if mode is not Mode.PAPER and market != EXCHANGE:
        raise SettingsError(
            f"mode {mode} is for market {EXCHANGE}, not for {market}; use mode replay or paper",
            mode=mode.value,
        )
    if mode is Mode.PAPER and found.plays not in ("", market):
        raise SettingsError(
            f"mode paper: the local exchange serves {found.plays}, and the desk is for {market}; "
            f"give --market {found.plays}, or let the exchange serve {market}",
            mode=mode.value,
        )
    if mode is Mode.PAPER:
        return f"paper:{environment(_PAPER) or 'local'}"
    return "sim" if mode is Mode.SIMULATE else f"dhan:{found.credentials.fingerprint}"


def wake_on_ticks(desk: Desk) -> None:
    """Let each tick of a subscribed instrument end the waits of the desk's clock.

    For a watcher, which then decides as prices change and not only at its interval. Its cycles
    do not wait for quotes requested by REST either. Ticks wake only while order updates are
    connected; without them each cycle would read the broker. A replay is not affected.
    """
    if isinstance(desk.clock, WakefulClock):
        desk.clock.wakes_on_ticks = True
    if isinstance(desk.feed, DhanFeed):
        desk.feed.refreshes_in_background = True


def live_clock(found: Wire) -> WakefulClock:
    """Clock of the local exchange, or of the machine."""
    url = found.addresses.clock if found.is_local else ""
    return WakefulClock(ExchangeClock(url) if url else SystemClock())


def shared_limits(found: Wire, where: Places) -> RateLimiter:
    """Limits of the account, counted together with every other process of this home."""
    credentials = found.credentials
    assert credentials is not None  # noqa: S101 (checked by the caller)
    account = credentials.fingerprint + (" local" if found.is_local else "")
    real = SystemClock()
    warn = partial(LogAlerts().send, "critical")
    counter = SharedCallCounter(where.limits, account, lambda: real.now().timestamp(), warn)
    return RateLimiter(counter=counter)


def live_ports(
    mode: Mode,
    account: str,
    found: Wire,
    clock: WakefulClock,
    history: ParquetHistory,
    where: Places,
    settings: Settings,
) -> LivePorts:
    """Ports of a desk in real time. Nothing is connected until it is used."""
    credentials = found.credentials
    assert credentials is not None  # noqa: S101 (checked by live_account)
    addresses = found.addresses
    arming = Arming(where.armed(account), account, credentials, clock)
    client = DhanClient(
        credentials,
        addresses,
        shared_limits(found, where),
        may_order=arming.check if mode is Mode.LIVE else None,
    )
    known = HistoryInstruments(history, history.underlyings())
    store = MasterStore(where.instruments(history.market))
    instruments = DhanInstruments(store, known, clock, partial(fetch_master, addresses.instruments))
    settlements = Settlements(client, instruments, history)
    updates = OrderUpdates(credentials, addresses, lambda _: clock.wake())

    def on_tick() -> None:
        # without order updates each cycle reads the broker, too often at the pace of ticks
        if mode is Mode.SIMULATE or updates.status.connected:
            clock.on_tick()

    feed = DhanFeed(client, instruments, clock, settlements, stream=addresses, on_tick=on_tick)
    broker: Broker
    if mode is Mode.SIMULATE:
        cash = settings.desk.starting_cash * PAISE_PER_RUPEE
        broker = engine = SimBroker(where.account(account), feed, clock, cash, instruments)
        closers = (feed.close, client.close, engine.close)
    else:
        broker = DhanBroker(client, instruments, clock, updates.change_count)
        clock.begin_with(updates.start)
        closers = (updates.close, feed.close, client.close)
        if mode is Mode.ALERT:
            broker = RefusingBroker(broker)
        if mode is Mode.LIVE:
            broker = LoggedBroker(broker, where.sent(account), clock.now)
    chains = DhanChains(client, instruments, clock)
    return LivePorts(clock, feed, broker, instruments, chains, closers, client, arming)
