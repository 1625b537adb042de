"""Positions held over nights on which the exchange changed the lots of live contracts.

Units, lots and final values are read from the exchange's files by hand.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strikeloom.desk import open_desk, to_day_end, to_day_start
from strikeloom.domain.legs import Side
from strikeloom.domain.positions import RequestState
from strikeloom.errors import GuardError
from strikeloom.monitor import request_exit, watch
from support.changed_contracts import ENDS_OF_LOTS, OF_LOTS, carry_all
from support.fakes import ManualClock, ist
from support.few_symbols import enter, history_of

REAL = ManualClock(ist("2026-11-30 12:00"))
pytestmark = pytest.mark.realdata
EVE, DAY, LAST = date(2024, 12, 26), date(2024, 12, 27), date(2025, 3, 27)
KEY = "NIFTY:2025-03-27:2400000:PE"  # id 64567: 25 units a lot, 75 from 2024-12-27 on


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_whole_lots_are_exited_and_the_rest_settles(
    side: Side, shared_data: Path, tmp_path: Path
) -> None:
    history_of(shared_data, tmp_path, ["NIFTY"], [EVE, DAY, LAST])
    desk = open_desk("nse", EVE, home=tmp_path)
    to_day_end(desk, EVE)
    whole = enter(desk, [(KEY, side)], EVE, lots=4).position_id
    to_day_start(desk, DAY)
    watch(desk, REAL, once=True, alert_only=True)
    (leg,) = desk.store.position(whole).legs
    assert (leg.instrument.lot_size, leg.net_units) == (75, side * 100)
    assert (leg.net_lots, leg.odd_units, leg.since) == (side * 1, side * 25, DAY)
    (text,) = [alert.text for alert in desk.store.alerts() if "lot" in alert.text]
    assert text == (
        "the exchange changed the lot of NIFTY contracts from 25 to 75 on 2024-12-27. "
        f"{whole}: {side * 100} units of NIFTY 27 Mar 24000 PE are in lots of 75 since 2024-12-27. "
        "25 of them make no whole lot: the exchange takes no order for these, and settles them "
        "on 2025-03-27; an exit trades the other 75"
    )
    request, _ = request_exit(desk, whole, who="a person")
    for _ in range(3):
        watch(desk, REAL, once=True)
    assert [p.net_units for p in desk.broker.positions()] == [side * 25]
    (kept,) = [r for r in desk.store.requests() if r.request_id == request.request_id]
    assert (kept.state, kept.note) == (
        RequestState.DONE,
        "reduced as asked; 25 units make no whole lot and stay until expiry",
    )
    with pytest.raises(GuardError, match=r"no whole lot is left \(25 of a lot of 75 in NIFTY"):
        request_exit(desk, whole, who="a person")
    to_day_end(desk, LAST)
    watch(desk, REAL, once=True, alert_only=True)
    (settled,) = [fill for fill in desk.store.fills() if fill.kind == "settlement"]
    assert (settled.price, settled.units) == (408_05, 25)  # final value 23,591.95
    assert desk.store.positions() == desk.broker.positions() == []
    assert not any("differ" in alert.text for alert in desk.store.alerts())
    assert desk.store.audit_positions() == []
    desk.broker.engine.audit()  # type: ignore[attr-defined]
    desk.close()


def test_every_changed_lot_is_carried(shared_data: Path, tmp_path: Path) -> None:
    carried = list(carry_all(shared_data, tmp_path, OF_LOTS, ENDS_OF_LOTS, 12))
    assert [held for _, held, _ in carried] == [12] * len(OF_LOTS)
    assert all(whole for _, _, whole in carried)
