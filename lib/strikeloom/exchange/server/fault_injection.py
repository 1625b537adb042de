"""Injected faults: what fails on the wire on purpose, drawn from a seed.

A fault names what happens, where (which calls or which stream), how often and how many
times. The accounts of the exchange stay correct throughout.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from strikeloom.errors import SettingsError
from strikeloom.settings.scalars import read_number, read_text, read_value, read_whole
from strikeloom.settings.yaml_file import read_yaml


class FaultKind(StrEnum):
    """Kinds of injected faults."""

    # of a call
    LATENCY = "latency"  # the response comes `seconds` later
    REQUEST_LOST = "request-lost"  # never processed, never answered
    REPLY_LOST = "reply-lost"  # processed, never answered
    RESET_BEFORE = "reset-before"  # connection reset, nothing processed
    RESET_AFTER = "reset-after"  # processed, then connection reset
    TOO_MANY = "too-many"  # 429 with the broker's body
    TOO_MANY_HTML = "too-many-html"  # 429 with an HTML page, as of a proxy
    SERVER_ERROR = "server-error"  # 500, DH-908
    BAD_GATEWAY = "bad-gateway"  # 502 with a page
    LIST_BODY = "list-body"  # 500 with a JSON list
    DATA_FAILURE = "data-failure"  # 400 in the style of the data calls
    FAILED_SUCCESS = "failed-success"  # 200 with a body of status failed
    EMPTY = "empty"  # processed, 202 without a body
    HTML_AFTER = "html-after"  # processed, 200 with a page
    UNAUTHORISED = "unauthorised"  # 401 though the token is right
    MARGIN = "margin-reject"  # the order is refused for lack of margin
    WRONG_IP = "wrong-ip"  # orders from this address are refused
    # every client's token expires; `rate` is by second
    TOKEN_DIES = "token-dies"  # noqa: S105 (not a secret)
    LATE_ORDER = "late-order"  # accepted, and missing from the book for `seconds`
    # of the order-update stream
    UPDATE_DROPPED = "update-dropped"
    UPDATE_TWICE = "update-twice"
    UPDATE_PASCAL = "update-pascal"  # PascalCase names, as the documentation has them
    UPDATE_SWAPPED = "update-swapped"  # held back until after the next one
    # of any stream; `on` is feed, orders-ws or depth
    STREAM_RESET = "stream-reset"  # bare TCP reset
    STREAM_STALL = "stream-stall"  # silent for `seconds`, connection open
    STACKED = "stacked"  # several packets in one message of the feed
    # of the market; `on` is a contract key, a symbol or any
    QUOTE_ABSENT = "quote-absent"
    QUOTE_ONE_SIDED = "quote-one-sided"
    QUOTE_CROSSED = "quote-crossed"
    QUOTE_STALE = "quote-stale"
    STUCK_PARTIAL = "stuck-partial"  # one lot a side, never refilled once taken


#: Of these at most one is injected before and one after a call; latency may be added.
BEFORE_CALL = (
    FaultKind.REQUEST_LOST,
    FaultKind.RESET_BEFORE,
    FaultKind.TOO_MANY,
    FaultKind.TOO_MANY_HTML,
    FaultKind.SERVER_ERROR,
    FaultKind.BAD_GATEWAY,
    FaultKind.LIST_BODY,
    FaultKind.DATA_FAILURE,
    FaultKind.FAILED_SUCCESS,
    FaultKind.UNAUTHORISED,
    FaultKind.MARGIN,
    FaultKind.WRONG_IP,
)
AFTER_CALL = (FaultKind.REPLY_LOST, FaultKind.RESET_AFTER, FaultKind.EMPTY, FaultKind.HTML_AFTER)
CALL_KINDS = (FaultKind.LATENCY, *BEFORE_CALL, *AFTER_CALL, FaultKind.LATE_ORDER)
UPDATE_FAULTS = (
    FaultKind.UPDATE_DROPPED,
    FaultKind.UPDATE_TWICE,
    FaultKind.UPDATE_SWAPPED,
)
STREAM_FAULTS = (FaultKind.STREAM_RESET, FaultKind.STREAM_STALL)
QUOTE_FAULTS = (
    FaultKind.QUOTE_ABSENT,
    FaultKind.QUOTE_ONE_SIDED,
    FaultKind.QUOTE_CROSSED,
    FaultKind.QUOTE_STALE,
    FaultKind.STUCK_PARTIAL,
)

ANY = "any"


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """One fault, as switched on.

    Attributes
    ----------
    on : str
        For calls their name (``place``, ``modify``, ``cancel``, ``book``, ``trades``,
        ``positions``, ``funds``, ``margin``, ``quotes``, ``chain``, ``charts``, ``control``,
        ``login``); for streams ``feed``, ``orders-ws`` or ``depth``; for quotes a contract key
        or a symbol; ``any`` for all.
    rate : float
        Probability by call, by message, or for a stream by second.
    times : int or None
        How often it is still injected; ``None``: without limit.
    seconds : float
        How long a latency, a stall, a late order or a withheld response lasts.
    """

    kind: FaultKind
    on: str = ANY
    rate: float = 1.0
    times: int | None = None
    seconds: float = 0.0


def parse_fault(row: Any, where: str) -> InjectedFault:
    """Read one fault.

    Raises
    ------
    SettingsError
        When a field is unknown or out of bounds; names the place.
    """
    known = {field.name for field in fields(InjectedFault)}
    if not isinstance(row, Mapping) or "kind" not in row or not set(row) <= known:
        raise SettingsError(f"{where}: needs kind; may have {sorted(known)}")
    if row["kind"] not in list(FaultKind):
        kinds = ", ".join(FaultKind)
        raise SettingsError(f"{where}: kind is {row['kind']!r}; kinds are {kinds}")
    times = row.get("times")
    read = InjectedFault(
        FaultKind(row["kind"]),
        read_value(read_text, row.get("on", ANY), f"{where}: on"),
        read_value(read_number, row.get("rate", 1.0), f"{where}: rate"),
        None if times is None else read_value(read_whole, times, f"{where}: times"),
        read_value(read_number, row.get("seconds", 0.0), f"{where}: seconds"),
    )
    times = read.times
    if not (0 <= read.rate <= 1 and 0 <= read.seconds <= 3600 and (times is None or times >= 0)):
        raise SettingsError(f"{where}: rate is 0 to 1, seconds 0 to 3600, times 0 or more")
    return read


def read_faults(path: Path) -> tuple[int, tuple[InjectedFault, ...]]:
    """Seed and faults of a YAML or JSON file: ``seed: 7`` and ``faults: [...]``.

    Raises
    ------
    SettingsError
        When the file cannot be read or a fault is not usable.
    """
    found = read_yaml(path)
    body = found.value if isinstance(found.value, Mapping) else {}
    rows = body.get("faults")
    if not isinstance(rows, list):
        raise SettingsError(f"{path} holds no faults; write seed: N and faults: [- kind: ...]")
    others = sorted(str(key) for key in set(body) - {"seed", "faults"})
    if others:
        raise SettingsError(
            f"{found.where(*others[:1])}: unknown key {others[0]}; known keys: faults, seed"
        )
    seed = read_value(read_whole, body.get("seed", 0), f"{found.where('seed')}: seed")
    places = [f"{path}, entry {n + 1} (line {found.line('faults', n)})" for n in range(len(rows))]
    return seed, tuple(map(parse_fault, rows, places))


class FaultInjector:
    """Faults that are switched on, and how often each was injected.

    Attributes
    ----------
    injected : collections.Counter
        How often a fault was injected, by kind.
    """

    def __init__(self, switches: Iterable[InjectedFault] = (), *, seed: int = 0) -> None:
        self._switches = list(switches)
        self._random = random.Random(seed)  # noqa: S311 (not a secret)
        self.injected: Counter[str] = Counter()

    def switch_on(self, *switches: InjectedFault) -> None:
        """Switch faults on."""
        self._switches += switches

    def switch_off(self, kind: FaultKind | None = None) -> None:
        """Switch off the faults of a kind, or all."""
        self._switches = [s for s in self._switches if kind is not None and s.kind is not kind]

    def listed(self) -> list[dict[str, Any]]:
        """Faults as plain values."""
        return [asdict(switch) for switch in self._switches]

    def draw(self, kinds: Iterable[FaultKind], *names: str) -> InjectedFault | None:
        """Fault of these kinds to inject now at one of these names; ``None`` when there is none."""
        wanted = frozenset(kinds)
        for at, switch in enumerate(self._switches):
            if switch.kind not in wanted or switch.on not in (ANY, *names) or switch.times == 0:
                continue
            if switch.rate < 1 and self._random.random() >= switch.rate:
                continue
            if switch.times is not None:
                self._switches[at] = replace(switch, times=switch.times - 1)
            self.injected[switch.kind.value] += 1
            return switch
        return None

    def active(self, kinds: Iterable[FaultKind]) -> list[InjectedFault]:
        """Faults of these kinds that are switched on, without drawing."""
        wanted = frozenset(kinds)
        return [switch for switch in self._switches if switch.kind in wanted]
