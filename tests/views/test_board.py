"""The board of positions in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from strikeloom.adapters.system_clock import SystemClock
from strikeloom.monitor import load_board, request_exit, run_cycle
from strikeloom.trading.lease import Lease
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.views.terminal import board_view
from support.desk import MadeDesk


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeDesk]:
    """Give a desk without positions."""
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()


def test_a_closed_leg_is_not_listed_and_one_lot_is_singular(made: MadeDesk) -> None:
    position = made.enter(made.spread(), 1)
    sold, bought = position.legs
    shown = board_view(load_board(made.desk), detailed=True).plain
    assert f"leg 0: -1 lot of 65 {sold.instrument.label}" in shown
    assert f"leg 1: +1 lot of 65 {bought.instrument.label}" in shown
    request_exit(made.desk, position.position_id, leg=0, who="test")
    with Lease(made.home, made.store) as lease:
        run_cycle(made.desk, lease, OrderRateLimiter(1e6), SystemClock())
    shown = board_view(load_board(made.desk), detailed=True).plain
    assert sold.instrument.label not in shown
    assert bought.instrument.label in shown
