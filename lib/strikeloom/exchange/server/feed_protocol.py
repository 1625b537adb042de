"""What the market feed and the depth feed share: codes, requests, and who may connect."""

from __future__ import annotations

import json
from typing import Any, Final

from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.packets import SEGMENTS
from strikeloom.exchange.server.wire_codes import WireSecurity, is_id

DISCONNECT: Final = 12
MAX_CONNECTIONS: Final = 5
TOO_MANY_INSTRUMENTS, TOO_MANY_CONNECTIONS, NO_DATA, EXPIRED = 804, 805, 806, 807
BAD_LOGIN, BAD_TOKEN, BAD_CLIENT, BAD_REQUEST = 808, 809, 810, 814


def login_error(exchange: ExchangeState, client_id: str, token: str) -> int | None:
    """Code with which a connection is refused; ``None`` when it is accepted."""
    client = exchange.tokens.client(client_id)
    if client is None:
        return BAD_CLIENT
    if not token:
        return BAD_LOGIN
    if not exchange.tokens.accepts(client_id, token):
        return EXPIRED if exchange.tokens.knew(client_id, token) else BAD_TOKEN
    return None if client.data_plan else NO_DATA


def parse_request(message: str) -> tuple[int, dict[str, Any]] | None:
    """Code and body of a request; ``None`` for anything else."""
    try:
        body = json.loads(message)
    except (ValueError, RecursionError):
        return None
    code = body.get("RequestCode") if isinstance(body, dict) else None
    return (code, body) if isinstance(code, int) else None


def parse_security(row: Any) -> WireSecurity | None:
    """Security that a row of a request names; ``None`` when it names none."""
    if not isinstance(row, dict):
        return None
    segment, number = row.get("ExchangeSegment"), str(row.get("SecurityId", ""))
    return (segment, int(number)) if segment in SEGMENTS and is_id(number) else None
