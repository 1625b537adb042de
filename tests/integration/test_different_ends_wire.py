"""A diagonal and a covered call over the wire, day by day, both sides started every day.

A local exchange plays days of the synthetic market and carries its account; nothing of ours lives
on but the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk import open_desk
from strikeloom.desk.exchange import ExchangeOptions, open_exchange
from strikeloom.domain.legs import Side
from strikeloom.exchange.market.clock import SteppedClock
from strikeloom.exchange.server.serve import ExchangeServer
from strikeloom.monitor import watch
from strikeloom.ports.desk import Desk
from support.fakes import ist
from support.marked_strategy import enter_marked, mark_strategy

DAY = date(2026, 5, 20)
SHORT, LONG = "SYNDEX:2026-06-02:2730000:CE", "SYNDEX:2026-06-09:2730000:CE"
SHARE, CALL = "AVANTIKA:SHARE", "AVANTIKA:2026-05-26:138000:CE"


@contextmanager
def both_sides(
    home: Path, patch: pytest.MonkeyPatch, moment: str
) -> Iterator[tuple[ExchangeServer, Desk]]:
    """The exchange at a moment of its day, and our desk of that day."""
    day = date.fromisoformat(moment.split(maxsplit=1)[0])
    options = ExchangeOptions(market="synthetic", day=day, speed=0.0, limits=False, carry=True)
    with open_exchange(options, home=home) as server:
        for name, value in server.environment().items():
            patch.setenv(name, value)
        patch.setenv("DHAN_CLIENT_ID", "1000000001")
        patch.setenv("DHAN_ACCESS_TOKEN", "local")
        clock = server.exchange.clock
        assert isinstance(clock, SteppedClock)
        clock.move_to(ist(moment))
        with open_desk("synthetic", mode="paper") as desk:
            yield server, desk


def agree(server: ExchangeServer, desk: Desk) -> dict[str, int]:
    """What both sides hold, which must be the same."""
    net: dict[str, int] = {}
    for position in desk.store.positions():
        for leg in position.legs:
            net[leg.instrument.key] = net.get(leg.instrument.key, 0) + leg.net_units
    (engine,) = server.exchange.engines.values()
    theirs = {p.instrument.key: p.net for p in engine.positions() if p.net}
    ours = {key: units for key, units in net.items() if units}
    assert ours == theirs
    assert not [it.text for it in desk.store.alerts() if "differ" in it.text]
    assert desk.store.audit_positions() == []
    return ours


def look(desk: Desk, rounds: int = 3) -> None:
    for _ in range(rounds):
        report = watch(desk, SystemClock(), once=True)
        assert (report.failure, report.blocked) == ("", [])


@pytest.mark.slow
def test_a_diagonal_and_a_covered_call_day_by_day(
    drawn_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with both_sides(drawn_home, monkeypatch, "2026-05-21 09:20") as (server, desk):
        assert (desk.day, desk.clock.now().date()) == (DAY, date(2026, 5, 21))
        marked = [
            mark_strategy(desk, "call_diagonal", "diagonal",
                          [(SHORT, Side.SELL), (LONG, Side.BUY)], forward=27_500.0),
            mark_strategy(desk, "covered_call", "covered",
                          [(CALL, Side.SELL), (SHARE, Side.BUY)], forward=1_422.0),
        ]  # fmt: skip
        for proposal in marked:
            enter_marked(desk, proposal)
        look(desk)
        assert agree(server, desk) == {SHORT: -65, LONG: 65, SHARE: 500, CALL: -500}
        trades = server.exchange.engines[server.exchange.tokens.clients[0].client_id].trades()
        order = [trade.instrument.key for trade in trades]
        assert order.index(LONG) < order.index(SHORT)
        assert order.index(SHARE) < order.index(CALL)
    with both_sides(drawn_home, monkeypatch, "2026-05-26 15:20") as (server, desk):
        look(desk)
        assert agree(server, desk) == {SHORT: -65, LONG: 65, SHARE: 500, CALL: -500}
        clock = server.exchange.clock
        clock.move_to(ist("2026-05-26 16:00"))  # type: ignore[attr-defined]
        look(desk)
        assert agree(server, desk) == {SHORT: -65, LONG: 65}
        assert not [it.text for it in desk.store.alerts() if "lacking" in it.text]
    with both_sides(drawn_home, monkeypatch, "2026-06-01 10:00") as (server, desk):
        look(desk)
        assert agree(server, desk) == {LONG: 65}
    with both_sides(drawn_home, monkeypatch, "2026-06-08 10:00") as (server, desk):
        look(desk)
        assert agree(server, desk) == {}
        (engine,) = server.exchange.engines.values()
        assert sum(fill.charges for fill in desk.store.fills()) == sum(
            trade.charges for trade in engine.trades()
        )
