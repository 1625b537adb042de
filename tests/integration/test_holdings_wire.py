"""Holdings over corporate actions against a local exchange, through the broker's adapter.

The exchange plays the eve and the day by the exchange's own files; its account is carried.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.domain.legs import Side
from strikeloom.trading.reconcile import reconcile
from support.desk import MadeDesk
from support.fakes import ist
from support.few_symbols import enter, history_of
from support.served_day import served

pytestmark = pytest.mark.realdata


@dataclass(frozen=True)
class Night:
    """A contract on the eve of an event, and what it is on the day."""

    eve: date
    day: date
    old: str
    new: str
    units: int
    cause: str
    is_listed: bool = True  # the broker's list shows it, too
    paid: int = 0  # paise a unit of a dividend, of a future

    @property
    def has_share(self) -> bool:
        return self.old.endswith(":SHARE")


NIGHTS = [
    Night(date(2026, 1, 13), date(2026, 1, 14), "KOTAKBANK:2026-01-27:210000:PE",
          "KOTAKBANK:2026-01-27:42000:PE", 2000, "strikes were divided by 5"),
    Night(date(2026, 2, 4), date(2026, 2, 5), "GAIL:2026-02-24:16400:CE",
          "GAIL:2026-02-24:15900:CE", 3150, "strikes were lowered by 5 "),
    Night(date(2026, 2, 26), date(2026, 2, 27), "LTIM:2026-03-30:500000:CE",
          "LTM:2026-03-30:500000:CE", 150, "LTIM became LTM"),
    Night(date(2025, 1, 1), date(2025, 1, 2), "BANKNIFTY:2025-01-29:5160000:PE",
          "BANKNIFTY:2025-01-30:5160000:PE", 15,
          "moved the expiry 2025-01-29 of BANKNIFTY to 2025-01-30 on 2025-01-02"),
    Night(date(2024, 12, 26), date(2024, 12, 27), "NIFTY:2025-03-27:2400000:PE",
          "NIFTY:2025-03-27:2400000:PE", 25, "changed the lot of NIFTY contracts from 25 to 75"),
    Night(date(2026, 1, 13), date(2026, 1, 14), "KOTAKBANK:2026-01-27:FUT",
          "KOTAKBANK:2026-01-27:FUT", 2000, "strikes were divided by 5"),
    Night(date(2026, 2, 26), date(2026, 2, 27), "LTIM:2026-03-30:FUT", "LTM:2026-03-30:FUT", 150,
          "LTIM became LTM"),
    Night(date(2025, 1, 1), date(2025, 1, 2), "BANKNIFTY:2025-01-29:FUT",
          "BANKNIFTY:2025-01-30:FUT", 15,
          "moved the expiry 2025-01-29 of BANKNIFTY to 2025-01-30 on 2025-01-02"),
    Night(date(2026, 2, 4), date(2026, 2, 5), "GAIL:2026-02-24:FUT", "GAIL:2026-02-24:FUT", 3150,
          "strikes were lowered by 5 ", paid=5_00),
    # the local exchange makes a stock's number of its symbol, so its list does not show a rename
    Night(date(2026, 2, 26), date(2026, 2, 27), "LTIM:SHARE", "LTM:SHARE", 1, "LTIM became LTM",
          is_listed=False),
    Night(date(2026, 1, 13), date(2026, 1, 14), "KOTAKBANK:SHARE", "KOTAKBANK:SHARE", 5, "",
          is_listed=False),
]  # fmt: skip


@pytest.mark.parametrize("files", [True, False], ids=["by the files", "by the broker's lists"])
@pytest.mark.parametrize("night", NIGHTS, ids=lambda night: night.old)
def test_the_broker_s_new_contract_is_ours(
    night: Night, files: bool, shared_data: Path, tmp_path: Path
) -> None:
    symbols = {key.split(":")[0] for key in (night.old, night.new)}
    if not files and not night.is_listed:
        return  # a list states no numbers of shares
    history = history_of(shared_data, tmp_path, sorted(symbols), [night.eve, night.day])
    if night.has_share:
        (stacked,) = (shared_data / "cm_bhavcopy").glob("fno_underlyings_*.csv.gz")
        assert not import_paths([stacked], history).refused
    history.find_actions()
    made = MadeDesk(tmp_path / "desk")
    with served(tmp_path, history, night.eve, made, files=files) as desk:
        desk.clock.move_to(ist(f"{night.eve} 15:20"))  # type: ignore[attr-defined]
        held = enter(desk, [(night.old, Side.BUY)], night.eve)
        assert held.legs[0].instrument.key == night.old
    with served(tmp_path, history, night.day, made, files=files) as desk:
        desk.clock.move_to(ist(f"{night.day} 09:20"))  # type: ignore[attr-defined]
        state = reconcile(desk)
        assert list(state.differences) == []
        (leg,) = state.positions[held.position_id].legs
        assert (leg.instrument.key, leg.net_units) == (night.new, night.units)
        assert leg.open_value == held.legs[0].open_value - night.units * night.paid
        theirs = [p for p in desk.broker.positions() if p.net_units]
        assert [(p.instrument_key, p.net_units) for p in theirs] == [(night.new, night.units)]
        assert leg.since == night.day
        assert leg.instrument.lot_size == desk.instruments.instrument(night.new, night.day).lot_size
        if not files:
            assert any(night.cause in alert.text for alert in made.store.alerts())
    made.close()
