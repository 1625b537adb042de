"""Arming: a person allows real orders of one account for one day.

An order goes to the broker only if ``live.allowed`` is set in ``config/desk.yaml``, the desk is
opened in mode live, and the day is armed with the last digits of the account and the date. The
adapter's client checks the arming before each call that changes an order. It ends with the day,
or at once with ``strikeloom disarm``.
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import date
from pathlib import Path

from strikeloom.adapters.dhan.credentials import Credentials
from strikeloom.errors import Rejected, SettingsError
from strikeloom.ports.clock import Clock

_DIGITS = 4


class Arming:
    """The arming of one account.

    Parameters
    ----------
    path : pathlib.Path
        Its file. Without it, or when it cannot be read, the account is not armed.
    """

    def __init__(self, path: Path, account: str, credentials: Credentials, clock: Clock) -> None:
        self._path = path
        self._account = account
        self._credentials = credentials
        self._clock = clock

    def check(self) -> None:
        """Allow a call that changes an order, or refuse it.

        Raises
        ------
        Rejected
            When the account is not armed for this day; nothing was sent.
        """
        reason = self.lacking()
        if reason:
            raise Rejected(f"not sent: {reason}; strikeloom arm arms a day", account=self._account)

    def lacking(self) -> str:
        """Why no order may be sent now; empty when one may."""
        try:
            found = json.loads(self._path.read_text("utf-8"))
            account, day = str(found["account"]), date.fromisoformat(found["day"])
        except FileNotFoundError:
            return f"{self._account} is not armed"
        except (OSError, ValueError, KeyError, TypeError) as error:
            return f"the arming in {self._path} cannot be read ({type(error).__name__})"
        today = self._clock.now().date()
        if account != self._account:
            return f"the arming in {self._path} is for {account}, not for {self._account}"
        if day != today:
            return f"{account} was armed for {day}, and today is {today}"
        return ""

    def confirm(self, digits: str, day: str) -> date:
        """Check that the person named the account and the day correctly.

        Raises
        ------
        SettingsError
            When the digits are not the last four of the client id, or the day is not today.
        """
        client_id = str.__str__(self._credentials.client_id.reveal())
        if len(digits) != _DIGITS or not client_id.endswith(digits):
            raise SettingsError(
                f"{digits!r} are not the last {_DIGITS} digits of the configured client id; "
                "nothing is armed"
            )
        today = self._clock.now().date()
        if day != str(today):
            raise SettingsError(f"{day!r} is not today, {today}; nothing is armed")
        return today

    def arm(self, day: date) -> None:
        """Store the arming; readable by its owner only."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        body = {
            "account": self._account,
            "day": str(day),
            "armed_at": self._clock.now().isoformat(),
            "by": os.getpid(),
        }
        handle, name = tempfile.mkstemp(prefix=".armed.", dir=self._path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(body, file)
        Path(name).replace(self._path)
