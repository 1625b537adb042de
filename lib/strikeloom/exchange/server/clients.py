"""Clients of the exchange and their access tokens."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from strikeloom.domain.money import paise
from strikeloom.errors import SettingsError
from strikeloom.ports.clock import Clock
from strikeloom.settings.scalars import read_number, read_switch, read_value
from strikeloom.settings.yaml_file import YamlDocument, read_yaml

TOKEN_LIFE = timedelta(hours=24)
LOCAL_CLIENT, LOCAL_TOKEN = "1000000001", "local"
DEFAULT_CASH = 50_00_000_00  # fifty lakh rupees in paise
_TEXTS = {"client_id", "token", "name", "pin", "totp"}


@dataclass(frozen=True, slots=True)
class Client:
    """One client. ``cash`` in paise is the starting balance of a new account.

    Attributes
    ----------
    pin, totp : str
        Required by ``/app/generateAccessToken``; when empty, that call is refused.
    data_plan : bool
        Has the market-data subscription; without it data calls answer 806.
    """

    client_id: str
    token: str
    name: str = "LOCAL CLIENT"
    cash: int = DEFAULT_CASH
    pin: str = ""
    totp: str = ""
    data_plan: bool = True

    def __repr__(self) -> str:
        return f"Client({self.client_id!r})"


def default_clients() -> tuple[Client, ...]:
    """The one client of a local exchange, unless a file of clients is given."""
    return (Client(LOCAL_CLIENT, LOCAL_TOKEN),)


def read_clients(path: Path) -> tuple[Client, ...]:
    """Clients of a YAML or JSON file: a list of ``client_id, token`` and the optional rest.

    ``cash`` is in rupees.

    Raises
    ------
    SettingsError
        When the file cannot be read or an entry is not usable; names the entry.
    """
    found = read_yaml(path)
    rows, at = found.value, tuple[Any, ...]()
    if isinstance(rows, Mapping) and set(rows) == {"clients"}:
        rows, at = rows["clients"], ("clients",)
    if not isinstance(rows, list) or not rows:
        raise SettingsError(f"{path} holds no list of clients; write - client_id: ..., token: ...")
    clients = tuple(_client(found, row, (*at, number)) for number, row in enumerate(rows))
    names = [client.client_id for client in clients]
    if len(set(names)) < len(names):
        raise SettingsError(f"{path} names a client twice: {sorted(names)}")
    return clients


def _client(found: YamlDocument, row: Any, at: tuple[Any, ...]) -> Client:
    where = f"{found.path}, entry {at[-1] + 1} (line {found.line(*at)})"
    known = set(Client.__dataclass_fields__)
    if not isinstance(row, Mapping) or not {"client_id", "token"} <= set(row) <= known:
        raise SettingsError(f"{where}: needs client_id and token; may have {sorted(known)}")
    empty = [name for name, value in row.items() if value is None]
    if empty:
        raise SettingsError(f"{where}: {', '.join(empty)} has no value; write one")
    values: dict[str, Any] = dict(row)
    for name in _TEXTS & set(row):  # as written: a PIN of 012345 keeps its zero
        values[name] = found.written(*at, name)
        if values[name] is None:
            raise SettingsError(f"{where}: {name} is a list or a mapping; expected text")
    if not values["client_id"].isalnum() or not values["token"]:
        raise SettingsError(f"{where}: client_id must be letters and digits, token not empty")
    if "data_plan" in row:
        values["data_plan"] = read_value(read_switch, row["data_plan"], f"{where}: data_plan")
    if "cash" in row:
        rupees = read_value(read_number, row["cash"], f"{where}: cash")
        values["cash"] = paise(rupees, what=f"{where}: cash")
    return Client(**values)


class Tokens:
    """Access tokens: one valid token a client; a new one ends the old.

    The configured token is valid until it is replaced, or until the operator ends it.
    """

    def __init__(self, clients: Iterable[Client], clock: Clock) -> None:
        self._clock = clock
        self._clients = {client.client_id: client for client in clients}
        self._valid = {client.client_id: client.token for client in self._clients.values()}
        self._ends: dict[str, datetime] = {}

    @property
    def clients(self) -> tuple[Client, ...]:
        """All clients."""
        return tuple(self._clients.values())

    def client(self, client_id: str) -> Client | None:
        """Client by id."""
        return self._clients.get(client_id)

    def accepts(self, client_id: str, token: str) -> bool:
        """Whether the token is the client's valid one."""
        valid = self._valid.get(client_id, "")
        if not token or not hmac.compare_digest(valid.encode(), token.encode()):
            return False
        ends = self._ends.get(client_id)
        return ends is None or self._clock.now() < ends

    def holder(self, token: str) -> str:
        """Id of the client whose valid token this is; empty when it is none's, or of several."""
        found = [name for name in self._clients if self.accepts(name, token)]
        return found[0] if len(found) == 1 else ""

    def knew(self, client_id: str, token: str) -> bool:
        """Whether the client has or had this token, even if it has expired or was replaced."""
        configured = self._clients[client_id].token if client_id in self._clients else ""
        known = (self._valid.get(client_id, ""), configured)
        return any(
            hmac.compare_digest(known_token.encode(), token.encode()) for known_token in known
        )

    def renew(self, client_id: str) -> tuple[str, datetime]:
        """Replace the token by a new one. Returns it and when it expires."""
        token = secrets.token_urlsafe(32)
        self._valid[client_id] = token
        self._ends[client_id] = self._clock.now() + TOKEN_LIFE
        return token, self._ends[client_id]

    def ends(self, client_id: str) -> datetime:
        """When the valid token expires."""
        return self._ends.get(client_id, self._clock.now() + TOKEN_LIFE)

    def end(self, client_id: str) -> None:
        """Let the client's token expire now, in the middle of the day."""
        self._ends[client_id] = self._clock.now()

    def restore(self, client_id: str) -> None:
        """Make the configured token valid again."""
        self._valid[client_id] = self._clients[client_id].token
        self._ends.pop(client_id, None)
