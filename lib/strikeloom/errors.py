"""One tree of errors, with branches by who must act.

Every message gives what failed, where, the value found and what to do next. Nothing in the
package returns zero, 50 % or an empty list in place of one of these. The command line turns
any of them into exit code 1 (2 for ``WrongUsage``) and prints the message without a traceback.
"""

from __future__ import annotations

from typing import Any


class StrikeloomError(Exception):
    """Root of every error that the package raises on purpose.

    Parameters
    ----------
    message : str
        What failed, where, the value found and the remedy.
    **facts
        The numbers and names of the message as fields, for logs and tests.
    """

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.facts = facts

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling (a worker process may raise one)."""
        return _rebuild, (type(self), str(self), self.facts)


def _rebuild(kind: type[StrikeloomError], message: str, facts: dict[str, Any]) -> StrikeloomError:
    return kind(message, **facts)


class SettingsError(StrikeloomError):
    """A person must correct a file in ``config/``, an option or an environment variable."""


class WrongUsage(SettingsError):
    """An option or argument of a command has a value that it does not accept: exit code 2."""


class DataError(StrikeloomError):
    """Market data is absent, malformed or contradictory."""


class BadFile(DataError):
    """An input file is truncated, of another kind or contradicts another file."""


class BadFrame(DataError):
    """A table does not have the columns, types or keys its schema states."""


class NotFetched(DataError):
    """A file could not be downloaded. Carries the answer's status (0: none) as a fact."""


class MissingHistory(DataError):
    """No data is stored for the market, symbol or day asked for."""


class UnknownSession(DataError):
    """A day is beyond the known trading calendar, or its hours are not on record."""


class StaleData(DataError):
    """Data exist but are too old to act on."""


class NoQuote(DataError):
    """A contract has no usable price now. Never read as a price of zero."""


class NotBuildable(StrikeloomError):
    """A strategy cannot be built on this chain. Expected, counted, explained to the user."""


class BrokerError(StrikeloomError):
    """The broker refused, was not reached, or did not report what happened."""


class Rejected(BrokerError):
    """The broker refused the order; it has no effect."""


class RateLimited(BrokerError):
    """The broker asked us to slow down; nothing was placed."""


class Unreachable(BrokerError):
    """The broker was not reached; the request was never sent."""


class NotAuthorised(Unreachable):
    """The broker rejected the credentials (expired or not valid); the request had no effect."""


class UnknownOutcome(BrokerError):
    """The request was sent and no answer came: look up by correlation id, never send again."""


class GuardError(StrikeloomError):
    """A guard refused an order before it was sent. Carries guard, limit and value as facts."""


class StoreError(StrikeloomError):
    """The store refused a write or contains something impossible."""


class LeaseTaken(StoreError):
    """Another process holds the send lock of this account."""


class StageError(StrikeloomError):
    """A stage cannot run: its upstream run is missing, stale or failed."""
