"""Positions held over adjustments of a made share: strikes, lots and values worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.desk import open_desk, to_day_end, to_day_start
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import IntentState
from strikeloom.domain.positions import RequestState
from strikeloom.errors import DataError
from strikeloom.monitor import request_exit, watch
from strikeloom.monitor.serve_requests import take_requests
from strikeloom.ports.desk import Desk
from strikeloom.trading.reconcile import Reconciler
from support.fakes import ManualClock, ist
from support.few_symbols import enter
from support.synthetic_chains import made

REAL = ManualClock(ist("2026-11-30 12:00"))
EVE, DAY, LAST = date(2026, 2, 12), date(2026, 2, 13), date(2026, 2, 24)
MOVED = date(2026, 2, 23)
PRICES = ["open", "high", "low", "close", "settle", "previous_close", "underlying"]


@dataclass(frozen=True)
class Event:
    """What happens to every contract, and what a call of 1,000 x 100 is from the day on."""

    name: str
    change: Callable[[pd.DataFrame], pd.DataFrame]
    key: str
    units: int
    final: float
    value: int
    cause: str


def _split(rows: pd.DataFrame) -> pd.DataFrame:
    rows[["strike", *PRICES]] /= 5
    rows[["lot_size", "open_interest"]] *= 5
    return rows


def _dividend(rows: pd.DataFrame) -> pd.DataFrame:
    """Twenty rupees, one step between strikes: every name but the lowest was another's."""
    rows["strike"] -= 20
    rows["underlying"] -= 20
    return rows


def _rename(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(symbol="WEAVECO")


def _moved(rows: pd.DataFrame) -> pd.DataFrame:
    day = np.datetime64(MOVED, "s")
    return rows.assign(expiry=day, last_day=day)


EVENTS = [
    Event("split", _split, "LOOMCO:2026-02-24:20000:CE", 500, 206.5, 6_50,
          "LOOMCO had a split on 2026-02-13: one share became 5"),
    Event("dividend", _dividend, "LOOMCO:2026-02-24:98000:CE", 100, 1012.0, 32_00,
          "LOOMCO had a dividend of 20 rupees a share on 2026-02-13"),
    Event("rename", _rename, "WEAVECO:2026-02-24:100000:CE", 100, 1012.0, 12_00,
          "LOOMCO became WEAVECO on 2026-02-13"),
    Event("moved", _moved, "LOOMCO:2026-02-23:100000:CE", 100, 1012.0, 12_00,
          "the exchange moved the expiry 2026-02-24 of LOOMCO to 2026-02-23 on 2026-02-13"),
]  # fmt: skip


def history_with(home: Path, event: Event, *, last_file: bool = True) -> ParquetHistory:
    """The eve, the day of the event, and the last day with its final value."""
    history = ParquetHistory(home / "history" / "nse", "nse")
    for day in (EVE, DAY, MOVED, LAST):
        rows = made({("LOOMCO", LAST): 0.3}, day=day).assign(day=np.datetime64(day, "s"))
        rows["instrument_id"] = np.arange(1, len(rows) + 1)
        rows = rows if day == EVE else event.change(rows)
        rows = rows[rows["expiry"] >= np.datetime64(day)]
        ending = rows["expiry"] == np.datetime64(day)
        rows.loc[ending, "final_settlement"] = event.final
        rows["settle"] = rows["settle"].mask(ending & (rows["right"] != "XX"))
        if len(rows) and (last_file or not ending.any()):
            history.write("contracts", rows, source="by hand")
    history.find_actions()
    return history


def opened(home: Path, side: Side = Side.BUY) -> tuple[Desk, str]:
    """Desk with one lot of the call at 1,000, opened on the eve."""
    desk = open_desk("nse", EVE, home=home)
    to_day_end(desk, EVE)
    return desk, enter(desk, [("LOOMCO:2026-02-24:100000:CE", side)], EVE).position_id


@pytest.fixture(params=EVENTS, ids=lambda event: event.name)
def event(request: pytest.FixtureRequest) -> Event:
    return request.param


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_holding_is_carried_to_its_settlement(event: Event, side: Side, tmp_path: Path) -> None:
    history_with(tmp_path, event)
    desk, name = opened(tmp_path, side)
    before = desk.store.position(name)
    to_day_start(desk, DAY)
    watch(desk, REAL, once=True, alert_only=True)
    (leg,) = desk.store.position(name).legs
    assert (leg.instrument.key, leg.net_units) == (event.key, side * event.units)
    assert leg.open_value == before.legs[0].open_value
    assert leg.instrument.lot_size == event.units
    assert desk.store.position(name).revision == before.revision + 1
    (theirs,) = desk.broker.positions()
    assert (theirs.instrument_key, theirs.net_units) == (event.key, side * event.units)
    texts = [alert.text for alert in desk.store.alerts()]
    assert sum(event.cause in text for text in texts) == 1
    assert not any("differ" in text for text in texts)
    to_day_end(desk, leg.instrument.expiry)
    watch(desk, REAL, once=True, alert_only=True)
    # its shares come in, or are lacking
    ((key, shares),) = [(p.instrument_key, p.net_units) for p in desk.broker.positions()]
    assert (key, shares) == (f"{event.key.split(':')[0]}:SHARE", side * event.units)
    (settled,) = [fill for fill in desk.store.fills() if fill.kind == "settlement"]
    assert (settled.price, settled.units) == (event.value, event.units)
    leg, delivered = desk.store.position(name).legs
    assert (leg.net_units, delivered.net_units) == (0, shares)
    assert leg.realised == side * event.units * event.value - before.legs[0].open_value
    assert desk.store.audit_positions() == []
    desk.store.rebuild_positions([name])
    assert desk.store.position(name).legs == (leg, delivered)
    desk.broker.engine.audit()  # type: ignore[attr-defined]
    desk.close()


def test_an_exit_asked_for_on_the_eve_leaves_the_contract_as_it_is_now(
    event: Event, tmp_path: Path
) -> None:
    history_with(tmp_path, event)
    desk, name = opened(tmp_path)
    request, _ = request_exit(desk, name, who="a person")
    reconciler = Reconciler(desk)
    take_requests(desk, reconciler.refresh(), reconciler)  # recorded, and not sent that day
    (waiting,) = desk.store.intents(states={IntentState.NEW})
    to_day_start(desk, DAY)
    for _ in range(3):
        watch(desk, REAL, once=True)
    assert desk.store.positions() == desk.broker.positions() == []
    sold = desk.store.fills(position_id=name)[-1]
    assert (sold.instrument_key, sold.units) == (event.key, event.units)
    (ended,) = desk.store.intents(correlation_ids=[waiting.correlation_id])
    assert (ended.state, event.cause in ended.note) == (IntentState.ENDED, True)
    (kept,) = [r for r in desk.store.requests() if r.request_id == request.request_id]
    assert kept.state is RequestState.DONE
    assert desk.store.audit_positions() == []
    desk.close()


def test_a_contract_that_is_gone_names_the_event(event: Event, tmp_path: Path) -> None:
    history_with(tmp_path, event)
    desk = open_desk("nse", EVE, home=tmp_path)
    gone = "LOOMCO:2026-02-24:114000:CE"  # the highest strike: at the dividend none takes it
    with pytest.raises(DataError, match="is not listed on 2026-02-13; it is") as raised:
        desk.instruments.instrument(gone, DAY)
    assert event.cause in str(raised.value)
    desk.close()


def test_a_strategy_of_the_eve_is_not_entered_in_another_contract(
    event: Event, tmp_path: Path
) -> None:
    history_with(tmp_path, event)
    desk = open_desk("nse", EVE, home=tmp_path)
    to_day_start(desk, DAY)
    key = "LOOMCO:2026-02-24:100000:CE"
    if event.name != "dividend":  # the others leave no contract of this name to be priced
        with pytest.raises(DataError):
            desk.instruments.instrument(key, DAY)
    else:
        with pytest.raises(Exception, match="no position"):
            enter(desk, [(key, Side.BUY)], DAY)
        (intent,) = desk.store.intents()
        assert intent.note.startswith("listed: LOOMCO 24 Feb 1000 CE was adjusted: it is")
        assert event.cause in intent.note
        assert desk.broker.orders() == []
    desk.close()


def test_an_ended_holding_without_its_day_waits_for_the_file(event: Event, tmp_path: Path) -> None:
    history_with(tmp_path, event, last_file=False)
    desk, name = opened(tmp_path)
    to_day_end(desk, MOVED if event.name != "moved" else DAY)
    last = MOVED if event.name == "moved" else LAST
    desk.store.set_replay_time(ist("2026-02-25 09:15"))
    for _ in range(2):
        report = watch(desk, REAL, once=True, alert_only=True)
    assert report.unpriced == [name]
    (marked,) = report.marked
    assert f"expired on {last}, waits for the file of {last}" in marked.missing[0]
    texts = [alert.text for alert in desk.store.alerts() if "waits for the file" in alert.text]
    assert len(texts) == 1
    desk.close()
