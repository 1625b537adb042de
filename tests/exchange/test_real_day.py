"""A day of the exchange's own, played from its end-of-day file up to the settlement."""

from datetime import date

import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.market.clock import SteppedClock
from strikeloom.exchange.market.sources import tape_of_history
from strikeloom.exchange.market.views import views
from strikeloom.exchange.orders.request import Placement
from support.fakes import MADE, ist

DAY = date(2026, 2, 3)


@pytest.mark.realdata
def test_an_expiry_day_from_its_file(shared_data, tmp_path):
    """NIFTY 03 Feb 25700 CE: inside the printed range, settled at the printed 25,727.55."""
    history = ParquetHistory(tmp_path / "nse", "nse")
    name = f"BhavCopy_NSE_FO_0_0_0_{DAY:%Y%m%d}_F_0000.csv.zip"
    import_paths([shared_data / "fo_bhavcopy" / "udiff" / name], history)
    clock = SteppedClock(ist("2026-02-03 09:15"))
    listed = HistoryInstruments(history, history.underlyings())
    tape = tape_of_history(history, listed, DAY, clock, MADE, tick_seconds=60)
    frame = history.contracts(DAY, symbols=["NIFTY"])
    row = frame[
        (frame["expiry"].dt.date == DAY) & (frame["strike"] == 25700.0) & (frame["right"] == "CE")
    ].iloc[0]
    key = "NIFTY:2026-02-03:2570000:CE"
    item = tape.by_key(key)
    assert item.security_id == row["instrument_id"]  # the exchange's own id, Dhan's too
    assert (item.instrument.lot_size, item.instrument.tick) == (65, 5)
    engine = Engine(Account(tmp_path / "a.db", 10**9), tape, clock, tape)
    view = views(tape, [key])[key]
    assert view.previous_close == round(row["previous_close"] * 100)
    order = engine.place(Placement(item.instrument, Side.BUY, 65, limit=view.quote.ask))
    assert order.state is OrderState.TRADED
    paid = order.filled_value
    clock.move_to(ist("2026-02-03 15:29"))
    assert engine.holdings() == {item.instrument: 65}
    clock.move_to(ist("2026-02-03 15:30"))
    view = views(tape, [key])[key]
    low, high, close = (round(row[n] * 100) for n in ("low", "high", "close"))
    assert low <= view.low <= view.open <= view.high <= high
    assert view.quote.last == close
    # 25,727.55 in the file of the day: 27.55 a unit, less 0.125 % of it
    assert engine.holdings() == {}
    settled = engine.trades()[-1]
    assert (settled.kind, settled.price, settled.charges) == ("settlement", 2755, 224)
    (closed,) = engine.positions()
    assert closed.realised == 65 * 2755 - paid
    engine.audit()
