"""Today's chains from the broker, one underlying after another, each stored when complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from strikeloom.domain.progress import Progress
from strikeloom.errors import (
    BrokerError,
    DataError,
    MissingHistory,
    NotAuthorised,
    Rejected,
    SettingsError,
    StageError,
)
from strikeloom.nse.sessions import is_trading_day
from strikeloom.ports.chains import Chains
from strikeloom.ports.desk import Desk
from strikeloom.ports.workers import Done

if TYPE_CHECKING:
    import pandas as pd

_KEPT = "the chains read so far are kept; run the same command again to continue"

T = TypeVar("T")


def read_chains(
    desk: Desk, symbols: Sequence[str] = (), *, progress: Progress | None = None
) -> Iterator[Done]:
    """Read the chains of the desk's real day into the history.

    Parameters
    ----------
    symbols : sequence of str
        Default: every underlying of the last day with a bhavcopy. A former name is read under
        the one of today.
    progress : callable, optional
        Called with underlyings done and in all.

    Returns
    -------
    iterator of Done
        ``item`` is the symbol. A symbol that the broker does not know, has no quotes of, or sends
        unreadable data for, fails alone. Chains read within ``fresh_minutes``
        (``config/chains.yaml``) are not read again: a stopped run continues where it was.

    Raises
    ------
    SettingsError
        When the desk has no broker.
    StageError
        When today is no trading day, the broker rejects the credentials, or it fails for several
        underlyings in a row.
    """
    if desk.chains is None:
        raise SettingsError(
            f"mode {desk.mode} has no broker to ask for chains; use --mode simulate or paper, with "
            "the broker's keys in .env"
        )
    today = desk.clock.now().date()
    if not is_trading_day(today):
        raise StageError(f"{today} is no trading day: there are no chains of today to read")
    past = desk.history.as_of(today)
    wanted = list(dict.fromkeys(past.known_as(name).symbol for name in symbols))
    wanted = wanted or _universe(desk, today)
    settings = desk.settings.chains
    read = desk.history.chain_times(today)
    fresh = desk.clock.now() - timedelta(minutes=settings.fresh_minutes)
    reader = _Reader(desk, desk.chains)
    failures = 0
    for number, symbol in enumerate(wanted):
        if progress:
            progress(number, len(wanted))
        if symbol in read and read[symbol] >= fresh:
            yield Done(symbol)
            continue
        try:
            frame = reader.symbol(symbol)
        except NotAuthorised as error:
            raise StageError(f"{symbol}: {error}; {_KEPT}") from error
        except BrokerError as error:
            failures += 1
            yield Done(symbol, str(error))
            if failures >= settings.give_up_after:
                raise StageError(
                    f"{failures} underlyings in a row could not be read, the last {symbol}: "
                    f"{error}; {_KEPT}"
                ) from error
            continue
        except DataError as error:
            yield Done(symbol, str(error))
            continue
        failures = 0
        desk.history.write("chains", frame, source=f"{symbol} chains")
        yield Done(symbol)
    if progress:
        progress(len(wanted), len(wanted))


def _universe(desk: Desk, today: date) -> list[str]:
    """Underlyings of the last day with a bhavcopy; a day read from a broker may lack some."""
    past = desk.history.as_of(today)
    for day in reversed(past.days()):
        frame = past.contracts(day, columns=("symbol", "right"))
        if frame["right"].eq("XX").any():  # a broker's chains are options alone
            return sorted(frame["symbol"].unique())
    raise MissingHistory(
        f"market {desk.market} has no stored day with a list of underlyings; run "
        "strikeloom data fetch first, or name them with --symbol"
    )


class _Reader:
    """Reads chains from the broker, one request at a time, paced."""

    def __init__(self, desk: Desk, chains: Chains) -> None:
        self._clock = desk.clock
        self._chains = chains
        self._settings = desk.settings.chains
        self._least = timedelta(days=desk.settings.iv.min_days_to_expiry)
        self._last_request: datetime | None = None

    def symbol(self, symbol: str) -> pd.DataFrame:
        """``QUOTES`` of the chosen expiries of an underlying.

        Raises
        ------
        DataError
            When no expiry is far enough away, or the broker does not know the symbol.
        """
        import pandas as pd

        soonest = self._clock.now().date() + self._least
        listed = self._request(partial(self._chains.expiries, symbol))
        chosen = [day for day in listed if day >= soonest][: self._settings.expiries]
        if not chosen:
            raise DataError(f"{symbol} has no expiry from {soonest} on", symbol=symbol)
        frames = [self._request(partial(self._chains.chain, symbol, day)) for day in chosen]
        return pd.concat(frames, ignore_index=True)

    def _request(self, request: Callable[[], T]) -> T:
        for attempt in range(1, self._settings.attempts + 1):
            self._pace()
            try:
                return request()
            except (NotAuthorised, Rejected):
                raise
            except BrokerError:  # a repeated read is harmless
                if attempt == self._settings.attempts:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _pace(self) -> None:
        if self._last_request is not None:
            elapsed = (self._clock.now() - self._last_request).total_seconds()
            if elapsed < self._settings.pause_seconds:
                self._clock.wait(self._settings.pause_seconds - elapsed)
        self._last_request = self._clock.now()
