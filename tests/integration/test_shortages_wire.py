"""A short delivery at a local exchange, through the broker's adapter, which reports no settlement.

A bought put ends in a delivery of 500 RELIANCE shares that are not there. The cash files print
closes of 1,428.80 on 24 February 2026, the final value, and 1,398.50 on the 25th: the exchange
closes them out at 1.2 x 1,398.50 = 1,678.20.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.domain.legs import Side
from strikeloom.errors import WrongUsage
from strikeloom.trading.reconcile import reconcile
from strikeloom.trading.shortages import Purchase, book_purchase, owed_shares
from support.desk import MadeDesk
from support.fakes import ist
from support.few_symbols import enter, history_of
from support.served_day import served

pytestmark = pytest.mark.realdata

EVE, LAST, AUCTION = (date(2026, 2, day) for day in (23, 24, 25))
PUT, SHARE = "RELIANCE:2026-02-24:144000:PE", "RELIANCE:SHARE"


def test_what_the_broker_does_not_report_is_booked_by_hand(
    shared_data: Path, tmp_path: Path
) -> None:
    days = [EVE, LAST, AUCTION]
    history = history_of(shared_data, tmp_path, ["RELIANCE"], days)
    cash = [shared_data / "cm_bhavcopy" / "daily" / f"{day}.csv.gz" for day in days]
    assert not import_paths(cash, history).refused
    made = MadeDesk(tmp_path / "desk")
    with served(tmp_path, history, EVE, made, files=True) as desk:
        start = desk.broker.funds().cash
        desk.clock.move_to(ist(f"{EVE} 15:20"))  # type: ignore[attr-defined]
        name = enter(desk, [(PUT, Side.BUY)], EVE).position_id
        (paid,) = [fill.price for fill in desk.store.fills()]
    with served(tmp_path, history, LAST, made, files=True) as desk:
        desk.clock.move_to(ist(f"{LAST} 18:00"))  # type: ignore[attr-defined]
        assert not desk.broker.reports_settlements
        assert list(reconcile(desk).differences) == []
        (owed,) = owed_shares(desk.store.positions())
        assert (owed.leg, owed.units, owed.price, owed.since) == (1, 500, 1_428_80, LAST)
    with served(tmp_path, history, AUCTION, made, files=True) as desk:
        desk.clock.move_to(ist(f"{AUCTION} 18:00"))  # type: ignore[attr-defined]
        for _ in range(2):
            assert list(reconcile(desk).differences) == []
        assert [p for p in desk.broker.positions() if p.net_units] == []  # bought in there
        assert len(owed_shares(desk.store.positions())) == 1  # which is not reported
        bought = Purchase(name, 1, 500, 1_678_20, AUCTION)
        with pytest.raises(WrongUsage, match=r"off the range ₹1,118.80 to ₹1,714.56"):
            book_purchase(desk, Purchase(name, 1, 500, 167_82, AUCTION), who="test")
        assert book_purchase(desk, bought, who="test")
        assert not book_purchase(desk, bought, who="test")
        assert list(reconcile(desk).differences) == []
        (position,) = desk.store.positions(open_only=False)
        assert [leg.net_units for leg in position.legs] == [0, 0]
        made_all = sum(leg.realised for leg in position.legs)
        assert made_all == 500 * (1_440_00 - paid - 1_678_20)
        charges = sum(leg.charges for leg in position.legs)
        assert desk.broker.funds().cash - start == made_all - charges
        assert desk.store.audit_positions() == []
