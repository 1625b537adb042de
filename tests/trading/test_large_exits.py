"""Exits of more than one order may be: they go out in parts until nothing is left."""

from __future__ import annotations

from pathlib import Path

from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import Purpose
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_exit
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.desk import MadeDesk
from support.fakes import option

CALL = option(25_000)


def test_an_exit_goes_out_in_parts_when_its_price_or_the_limit_moves(tmp_path: Path) -> None:
    """27 lots at 120 are 2.1 lakh; at 1,500 they are 26.3 lakh, and one order may be 25."""
    made = MadeDesk(tmp_path)
    made.show(CALL, 119_50, 120_00, size=5_000)
    held = made.enter(made.propose([Leg(CALL, Side.BUY, 1, 120_00)], "call"), 27)
    made.store.record_intents(prepare_exit(made.desk, held, [0], "leave"))  # one order of 27 lots
    made.show(CALL, 1_500_00, 1_505_00, size=5_000)
    with Lease(made.home, made.store) as lease:
        for _ in range(4):
            work(made.desk, lease, OrderRateLimiter(1e6))
            made.step(60)
    sent = [i for i in made.store.intents() if i.purpose is Purpose.EXIT and i.attempt > 1]
    assert [i.units for i in sent] == [26 * 65, 65]
    assert made.store.positions() == made.broker.positions() == []
    made.close()
