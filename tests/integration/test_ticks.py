"""A price step that changes while an option is held, by the exchange's own files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.desk import open_desk, to_day_end
from strikeloom.desk.replay import to_day_start
from strikeloom.domain.instruments import InstrumentKind
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import IntentState
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_exit
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.few_symbols import enter, history_of


@pytest.mark.realdata
def test_an_option_is_left_on_the_tick_of_the_day(shared_data: Path, tmp_path: Path) -> None:
    """CROMPTON closed at 221.45 on 2026-01-30 and at 257.85 on 02-27: 1 paisa, then 5."""
    days = [date(2026, 1, 30), date(2026, 2, 27), date(2026, 3, 2)]
    history_of(shared_data, tmp_path, ["CROMPTON"], days)
    desk = open_desk("nse", days[1], home=tmp_path)
    to_day_end(desk, days[1])
    held = enter(desk, [("CROMPTON:2026-03-30:27000:CE", Side.BUY)], days[1], lots=2)
    assert held.legs[0].instrument.tick == 1
    to_day_start(desk, days[2])
    desk.store.record_intents(prepare_exit(desk, held, [0], "leave"))
    with Lease(desk.home, desk.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6))
    (leaving,) = [item for item in desk.store.intents() if item.purpose == "exit"]
    assert (leaving.state, leaving.limit) == (IntentState.FILLED, 2_05)  # 2.20 less 5 %, on 5 paise
    assert desk.store.positions() == desk.broker.positions() == []
    desk.close()


@pytest.mark.realdata
def test_prices_show_the_tick_where_the_reviewed_close_is_not_stored(
    shared_data: Path, tmp_path: Path
) -> None:
    """Closes of December are not among these files; YESBANK stood at 21 rupees."""
    day = date(2026, 1, 5)
    history = history_of(shared_data, tmp_path, ["YESBANK", "RELIANCE", "NIFTY"], [day])
    listed = HistoryInstruments(history, {})
    assert listed.tick("YESBANK", InstrumentKind.STOCK, day) == 1
    assert listed.tick("YESBANK", InstrumentKind.STOCK, date(2026, 1, 30)) == 1
    assert listed.tick("YESBANK", InstrumentKind.STOCK, date(2026, 1, 2)) == 5  # nothing is known
    assert listed.tick("RELIANCE", InstrumentKind.STOCK, day) == 5
    assert listed.tick("NIFTY", InstrumentKind.INDEX, day) == 5
    desk = open_desk("nse", day, home=tmp_path)
    to_day_end(desk, day)
    cheap = desk.instruments.instrument("YESBANK:2026-01-27:2000:PE", day)
    quote = desk.feed.quotes([cheap])[cheap.key]
    assert (quote.last, quote.bid, quote.ask) == (4, 4, 5)  # not 0.05 and 0.10
    desk.close()
