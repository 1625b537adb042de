"""Positions held over corporate actions and moved expiries, by the exchange's own files.

A holding is the contract that it was opened in: final values, strikes and lots below are read
from the files by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from strikeloom.desk import open_desk, to_day_end
from strikeloom.desk.replay import to_day_start
from strikeloom.domain.legs import Side
from strikeloom.monitor import watch
from strikeloom.monitor.mark import mark_position
from strikeloom.ports.desk import Desk
from strikeloom.trading.prepare import last_days, take_snapshot
from support.fakes import ManualClock, ist
from support.few_symbols import enter, history_of

REAL = ManualClock(ist("2026-11-30 12:00"))
pytestmark = pytest.mark.realdata


@contextmanager
def desk_of(
    shared: Path, home: Path, symbols: Sequence[str], days: Sequence[date]
) -> Iterator[Desk]:
    """Desk at the close of the first of these days."""
    history = history_of(shared, home, symbols, days)
    history.find_actions()
    desk = open_desk("nse", days[0], home=home)
    to_day_end(desk, days[0])
    yield desk
    desk.close()


def look(desk: Desk) -> None:
    """One cycle that decides nothing: it reconciles."""
    report = watch(desk, REAL, once=True, alert_only=True)
    assert not report.failure
    assert not any("differ" in alert.text for alert in desk.store.alerts())
    assert desk.store.audit_positions() == []


def settled(desk: Desk) -> list[tuple[str, int, int]]:
    """Contract, value in paise and units of each settlement, ours; the broker has the same."""
    ours = [fill for fill in desk.store.fills() if fill.kind == "settlement"]
    theirs = [fill for fill in desk.broker.fills() if fill.kind == "settlement"]
    found = sorted((fill.instrument_key, fill.price, fill.units) for fill in ours)
    assert found == sorted((fill.instrument_key, fill.price, fill.units) for fill in theirs)
    # what is left are shares that stock options delivered, or that were lacking for it
    held: Counter[str] = Counter()
    for position in desk.store.positions():
        held.update({leg.instrument.key: leg.net_units for leg in position.legs if leg.net_units})
    assert held == {it.instrument_key: it.net_units for it in desk.broker.positions()}
    assert all(key.endswith(":SHARE") for key in held)
    return found


def test_a_split_carries_a_put_to_its_settlement(shared_data: Path, tmp_path: Path) -> None:
    days = [date(2026, 1, 13), date(2026, 1, 14), date(2026, 1, 27)]
    with desk_of(shared_data, tmp_path, ["KOTAKBANK"], days) as desk:
        held = enter(desk, [("KOTAKBANK:2026-01-27:210000:PE", Side.BUY)], days[0])
        (leg,) = held.legs
        assert (leg.net_units, leg.since) == (400, None)
        cost = leg.open_value
        to_day_start(desk, days[1])
        look(desk)
        (after,) = desk.store.positions()
        (leg,) = after.legs
        assert leg.instrument.key == "KOTAKBANK:2026-01-27:42000:PE"
        assert (leg.instrument.lot_size, leg.net_units, leg.first_units) == (2000, 2000, 2000)
        assert (leg.open_value, leg.entry_value, leg.net_lots) == (cost, cost, 1)
        assert (leg.since, after.revision) == (days[1], held.revision + 1)
        assert [p.net_units for p in desk.broker.positions()] == [2000]
        (text,) = [alert.text for alert in desk.store.alerts() if "split" in alert.text]
        assert "KOTAKBANK had a split on 2026-01-14: one share became 5" in text
        assert "2000 of KOTAKBANK 27 Jan 420 PE since 2026-01-14" in text
        to_day_end(desk, days[2])
        look(desk)
        # final value 408.70
        assert settled(desk) == [("KOTAKBANK:2026-01-27:42000:PE", 11_30, 2000)]
        leg, lacking = desk.store.position(held.position_id).legs
        assert (leg.net_units, lacking.net_units) == (0, -2000)  # the put sells shares
        assert leg.realised == 22_600_00 - cost
        desk.broker.engine.audit()  # type: ignore[attr-defined]


def test_a_dividend_carries_a_call_that_another_took_the_name_of(
    shared_data: Path, tmp_path: Path
) -> None:
    days = [date(2026, 2, 4), date(2026, 2, 5), date(2026, 2, 24)]
    with desk_of(shared_data, tmp_path, ["GAIL"], days) as desk:
        held = enter(desk, [("GAIL:2026-02-24:16400:CE", Side.BUY)], days[0])
        cost = held.legs[0].open_value
        assert cost == 5_11 * 3150  # made of one moment, on the tick of a paisa
        to_day_end(desk, days[1])
        look(desk)
        (after,) = desk.store.positions()
        assert after.legs[0].instrument.key == "GAIL:2026-02-24:15900:CE"
        snapshot = take_snapshot(desk, [after.legs[0].instrument])
        marked = mark_position(after, snapshot, last_days=last_days(desk, after), peak=None)
        assert marked.pnl is not None
        assert abs(marked.pnl + cost - 4_54 * 3150) < 150_00  # the call at 4.54, not at 2.22
        to_day_end(desk, days[2])
        look(desk)
        # final value 167.85
        assert settled(desk) == [("GAIL:2026-02-24:15900:CE", 8_85, 3150)]
        leg, shares = desk.store.position(held.position_id).legs
        assert (leg.net_units, shares.net_units) == (0, 3150)
        assert leg.realised == 8_85 * 3150 - cost
        assert leg.realised + cost - 16_222_50 == 11_655_00


def test_names_that_pass_on_at_a_dividend_move_at_once(shared_data: Path, tmp_path: Path) -> None:
    """Two holdings of which one takes the other's former name."""
    days = [date(2026, 2, 4), date(2026, 2, 5), date(2026, 2, 24)]
    legs = [("GAIL:2026-02-24:16500:CE", Side.BUY), ("GAIL:2026-02-24:17000:CE", Side.SELL)]
    with desk_of(shared_data, tmp_path, ["GAIL"], days) as desk:
        enter(desk, legs, days[0], lots=2)
        to_day_end(desk, days[2])
        look(desk)
        assert settled(desk) == [
            ("GAIL:2026-02-24:16000:CE", 7_85, 6300),
            ("GAIL:2026-02-24:16500:CE", 2_85, 6300),
        ]
        desk.broker.engine.audit()  # type: ignore[attr-defined]


def test_a_moved_expiry_settles_a_day_later(shared_data: Path, tmp_path: Path) -> None:
    days = [date(2024, 12, 31), date(2025, 1, 1), date(2025, 1, 2), date(2025, 1, 29),
            date(2025, 1, 30)]  # fmt: skip
    with desk_of(shared_data, tmp_path, ["BANKNIFTY"], days) as desk:
        held = enter(desk, [("BANKNIFTY:2025-01-29:5160000:PE", Side.BUY)], days[0])
        to_day_start(desk, days[2])
        look(desk)
        (after,) = desk.store.positions()
        assert after.legs[0].instrument.key == "BANKNIFTY:2025-01-30:5160000:PE"
        assert (after.legs[0].net_units, last_days(desk, after)) == (15, {0: days[4]})
        (text,) = [alert.text for alert in desk.store.alerts() if "moved" in alert.text]
        assert "moved the expiry 2025-01-29 of BANKNIFTY to 2025-01-30 on 2025-01-02" in text
        to_day_end(desk, days[3])
        look(desk)
        assert [p.position_id for p in desk.store.positions()] == [held.position_id]
        to_day_end(desk, days[4])
        look(desk)
        # final value 49,311.95
        assert settled(desk) == [("BANKNIFTY:2025-01-30:5160000:PE", 2_288_05, 15)]


def test_a_renamed_holding_is_marked_under_its_new_symbol(
    shared_data: Path, tmp_path: Path
) -> None:
    days = [date(2026, 2, 26), date(2026, 2, 27), date(2026, 3, 19)]
    with desk_of(shared_data, tmp_path, ["LTIM", "LTM"], days) as desk:
        enter(desk, [("LTIM:2026-03-30:500000:CE", Side.BUY)], days[0])
        to_day_end(desk, days[1])
        look(desk)
        (after,) = desk.store.positions()
        assert after.legs[0].instrument.key == "LTM:2026-03-30:500000:CE"
        assert (after.symbol, after.legs[0].net_units) == ("LTM", 150)
        snapshot = take_snapshot(desk, [after.legs[0].instrument], [after.symbol])
        marked = mark_position(after, snapshot, last_days=last_days(desk, after), peak=None)
        assert marked.pnl is not None
        assert marked.level is not None


def test_a_split_that_no_cycle_saw_is_found_later(shared_data: Path, tmp_path: Path) -> None:
    """From the eve straight to the last day: adjusted first, then settled."""
    days = [date(2026, 2, 25), date(2026, 2, 26), date(2026, 3, 19)]
    with desk_of(shared_data, tmp_path, ["ANGELONE"], days) as desk:
        enter(desk, [("ANGELONE:2026-03-30:250000:CE", Side.SELL)], days[0])
        to_day_end(desk, days[2])
        look(desk)
        (after,) = desk.store.positions()
        assert after.legs[0].instrument.key == "ANGELONE:2026-03-30:25000:CE"
        assert after.legs[0].net_units == -2500
        assert [(p.instrument_key, p.net_units) for p in desk.broker.positions()] == [
            ("ANGELONE:2026-03-30:25000:CE", -2500)
        ]
