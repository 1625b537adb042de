"""One call of a client, and reading its fields strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from strikeloom.domain.money import paise
from strikeloom.errors import DataError
from strikeloom.exchange.server.responses import BAD_INPUT, ApiRefusal, refused
from strikeloom.nse.sessions import IST

if TYPE_CHECKING:
    from strikeloom.exchange.engine.engine import Engine
    from strikeloom.exchange.server.clients import Client
    from strikeloom.exchange.server.exchange_state import ExchangeState


#: Largest whole number of the protocol, whose fields are 32 bits wide; also the most paise.
_MAX: Final = 2**31 - 1
_WHOLE: Final = re.compile(r"[0-9]{1,10}")
_RUPEES: Final = re.compile(r"[0-9]{1,10}(\.[0-9]{1,6})?([eE]\+?[0-9])?")
_YEARS: Final = range(2000, 2100)


@dataclass(frozen=True)
class ApiCall:
    """A call of a client. ``args`` are the captured parts of the path, ``query`` its parameters."""

    exchange: ExchangeState
    client: Client
    engine: Engine
    body: Mapping[str, Any] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """Exchange time."""
        return self.exchange.clock.now()

    def text(self, name: str, *, default: str | None = None) -> str:
        """Text field; numbers count as their text.

        Raises
        ------
        ApiRefusal
            DH-905 when it is absent.
        """
        value = self.body.get(name)
        if value is None or value == "" or isinstance(value, bool | list | dict):
            if default is not None and not isinstance(value, bool | list | dict):
                return default
            raise bad_field(name, value)
        return str(value).strip()

    def one_of(self, name: str, known: Mapping[str, Any], *, default: str | None = None) -> Any:
        """Value of a text field that must be one of the broker's codes."""
        code = self.text(name, default=default).upper()
        if code not in known:
            raise bad_field(name, code)
        return known[code]

    def whole(self, name: str, *, default: int | None = None) -> int:
        """Whole number of 31 bits at most that is not negative; text of digits counts."""
        value = self.body.get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX:
            raise bad_field(name, self.body.get(name))
        return value

    def truth(self, name: str) -> bool:
        """Boolean field; absent is false, and texts or numbers are refused."""
        value = self.body.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise bad_field(name, value)

    def money(self, name: str, *, default: int | None = None) -> int:
        """Paise of a field in rupees, which must be a whole number of them, 31 bits at most."""
        value = self.body.get(name)
        if value in (None, "") and default is not None:
            return default
        if isinstance(value, str) and not _RUPEES.fullmatch(value.strip()):
            raise bad_field(name, value)
        try:
            number = float(value)  # type: ignore[arg-type]
            amount = paise(number, what=name)
        except (TypeError, ValueError, OverflowError, DataError):
            raise bad_field(name, value) from None
        if isinstance(value, bool) or not 0 <= amount <= _MAX or abs(number * 100 - amount) > 1e-3:
            raise bad_field(name, value)
        return amount

    def day(self, name: str) -> date:
        """Date of a field: ``YYYY-MM-DD``, whatever time follows."""
        return self.moment(name).date()

    def moment(self, name: str) -> datetime:
        """Date, or date and time, in Indian time."""
        text = self.text(name)
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise bad_field(name, text) from None
        if at.year not in _YEARS:
            raise bad_field(name, text)
        return at.replace(tzinfo=IST) if at.tzinfo is None else at.astimezone(IST)


def bad_field(name: str, value: object) -> ApiRefusal:
    """Refusal that names the field and the first 60 characters of its value."""
    return refused("DH-905", f"{BAD_INPUT} ({name}: {str(value)[:60]!r})")
