"""A person books what the exchange paid for shares that were lacking for a delivery.

By hand: 300 x (1,350 - 1,400.10) for the shares, 500 x (30.00 - 15.50) for the put, and
200 x (1,350 - 1,410.55) for the shares bought in: -15,030 + 7,250 - 12,110.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.sqlite.store import open_store
from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.errors import StoreError, WrongUsage
from strikeloom.monitor import load_board
from strikeloom.trading.reconcile import reconcile
from strikeloom.trading.shortages import Purchase, book_purchase, owed_shares
from strikeloom.views.monitor.pulse import Pulse
from strikeloom.views.monitor.text import header
from strikeloom.views.terminal import board_view
from strikeloom.views.terminal.board import board_json
from support.fakes import EXPIRY
from support.mixed_legs import SHARE, MixedDesk
from trading.killed_shortage import AUCTION, next_day, owing, stated

PROFIT = -15_030_00 + 7_250_00 - 12_110_00


@pytest.fixture
def made(tmp_path: Path) -> MixedDesk:
    return owing(tmp_path)


def book(made: MixedDesk, purchase: Purchase, *, accept: bool = False) -> bool:
    return book_purchase(made.desk, purchase, who="a person", accept_price=accept)


def owed(made: MixedDesk) -> list[tuple[int, int, date]]:
    found = owed_shares(made.store.positions())
    return [(it.units, it.price, it.since) for it in found]


def profit(made: MixedDesk) -> int:
    (position,) = made.store.positions(open_only=False)
    return sum(leg.realised for leg in position.legs)


def test_a_purchase_ends_what_is_owed_at_its_price(made: MixedDesk) -> None:
    assert owed(made) == [(200, 1_350_00, EXPIRY)]
    for _ in range(2):
        assert reconcile(made.desk).differences == []
    assert owed(made) == [(200, 1_350_00, EXPIRY)]  # nothing ends it but the booking
    assert book(made, stated(made, charges=47_20))
    assert owed(made) == []
    assert made.store.positions() == []
    assert profit(made) == PROFIT
    (position,) = made.store.positions(open_only=False)
    assert position.legs[2].charges == 47_20
    assert reconcile(made.desk).differences == []
    assert made.store.audit_positions() == []
    (fill,) = [it for it in made.store.fills() if it.kind == "buy-in"]
    assert (fill.units, fill.price, fill.charges, fill.at.date()) == (200, 1_410_55, 47_20, AUCTION)
    (intent,) = made.store.intents(correlation_ids=[fill.correlation_id])
    assert intent.why == "lacking shares bought in by the exchange, stated by a person"


def test_the_same_booking_twice_is_one(made: MixedDesk) -> None:
    half = stated(made, units=100)
    assert book(made, half)
    assert not book(made, half)
    assert owed(made) == [(100, 1_350_00, EXPIRY)]
    with pytest.raises(WrongUsage, match=r"charges of ₹0.00, not ₹5.00"):
        book(made, replace(half, charges=5_00))
    assert book(made, replace(half, reference="note 7"))
    assert not book(made, replace(half, reference="note 7"))
    assert not book(made, half)
    assert owed(made) == []
    assert profit(made) == PROFIT
    whys = {it.why for it in made.store.intents() if "bought in" in it.why}
    assert any(why.endswith("(note 7)") for why in whys)


def test_what_is_not_owed_is_refused_with_the_numbers(made: MixedDesk) -> None:
    position = stated(made).position_id
    for change, text in (
        ({"leg": 0}, "leg 0 of .* owes nothing: it holds 0 RELIANCE.*; owed: 200 RELIANCE shares"),
        ({"leg": 9}, "leg 9 of .* is no leg of it"),
        ({"units": 201}, "201 shares are not what was bought in of owed: 200 RELIANCE shares"),
        ({"units": 0}, "0 shares"),
        ({"day": EXPIRY}, "2026-02-24 is not the day .* a session after 2026-02-24, 2026-02-25"),
        ({"day": date(2026, 2, 26)}, "2026-02-26 is not the day"),
    ):
        with pytest.raises(WrongUsage, match=text):
            book(made, replace(stated(made), **change))
    made.at("2026-03-02 10:00")
    with pytest.raises(WrongUsage, match="2026-02-28 is not the day"):  # a Saturday
        book(made, replace(stated(made), day=date(2026, 2, 28)))
    with pytest.raises(StoreError, match=f"no position OTHER; open positions: {position}"):
        book(made, replace(stated(made), position_id="OTHER"))
    assert book(made, stated(made))
    with pytest.raises(WrongUsage, match="it owes no shares"):
        book(made, stated(made, price=1_411_00))
    assert profit(made) == PROFIT


@pytest.mark.parametrize("price", [1_079_99, 1_632_01, 14_105_50])
def test_a_price_off_the_range_needs_a_flag_that_is_on_record(made, price: int) -> None:
    """Owed at 1,350, auction's day closed at 1,360: 0.8 x 1,350 to 1.2 x 1,360."""
    with pytest.raises(WrongUsage, match=r"off the range ₹1,080.00 to ₹1,632.00"):
        book(made, stated(made, price=price))
    assert owed(made) == [(200, 1_350_00, EXPIRY)]
    assert book(made, stated(made, price=price), accept=True)
    (why,) = [it.why for it in made.store.intents() if "bought in" in it.why]
    assert "who accepted a price off the range ₹1,080.00 to ₹1,632.00" in why


@pytest.mark.parametrize("price", [1_080_00, 1_632_00])
def test_both_ends_of_the_range_are_booked(made: MixedDesk, price: int) -> None:
    assert book(made, stated(made, price=price))


def test_a_close_that_is_not_known_widens_the_range(made: MixedDesk) -> None:
    """1.2 x 1.2 x 1,350 and 0.8 x 0.8 x 1,350."""
    del made.feed.settlements[SHARE.symbol, AUCTION]
    for price in (863_99, 1_944_01):
        with pytest.raises(WrongUsage, match=r"₹864.00 to ₹1,944.00"):
            book(made, stated(made, price=price))
    assert book(made, stated(made, price=1_944_00))


def test_a_broker_that_reports_purchases_needs_none(tmp_path: Path) -> None:
    made = owing(tmp_path, reports=True)
    with pytest.raises(WrongUsage, match="there is nothing to state"):
        book(made, stated(made))
    made.ledger.end(SHARE.key, 200, 1_410_55, kind="buy-in")
    made.ledger.held.clear()
    reconcile(made.desk)
    assert profit(made) == PROFIT


@pytest.mark.parametrize("reports", [True, False], ids=["reported", "stated"])
def test_shares_owed_over_a_split_are_bought_in_as_the_exchange_counts_them(
    tmp_path: Path, reports: bool
) -> None:
    """Five for one on the day of the auction: 1,000 at 282.11 are 200 at 1,410.55."""
    made = owing(tmp_path, reports=reports)
    made.listed.changes = {
        SHARE.key: [ContractAdjustment(SHARE.key, SHARE, 5, 1, AUCTION, "RELIANCE had a split")]
    }
    made.ledger.held = {SHARE.key: -1_000} if reports else {}
    for minute in range(3):
        made.at(f"{AUCTION} 10:0{minute}")
        assert reconcile(made.desk).differences == []
        assert owed(made) == [(1_000, 270_00, EXPIRY)]
    assert len([text for _, text in made.alerts.texts if "had a split" in text]) == 1
    made.at(f"{AUCTION} 18:00")
    made.feed.settlements[SHARE.symbol, AUCTION] = 272_00
    if reports:
        made.ledger.end(SHARE.key, 1_000, 282_11, kind="buy-in")
        reconcile(made.desk)
    else:
        assert book(made, stated(made, 1_000, 282_11))
    assert owed(made) == []
    assert profit(made) == PROFIT
    made.at("2026-02-26 10:00")
    assert reconcile(made.desk).differences == []
    assert made.store.audit_positions() == []


def test_a_split_after_the_auction_leaves_what_is_owed(made: MixedDesk) -> None:
    day = date(2026, 3, 4)
    made.listed.changes = {
        SHARE.key: [ContractAdjustment(SHARE.key, SHARE, 5, 1, day, "RELIANCE had a split")]
    }
    made.at("2026-03-05 10:00")
    reconcile(made.desk)
    assert owed(made) == [(200, 1_350_00, EXPIRY)]
    assert book(made, stated(made))
    assert profit(made) == PROFIT


def test_two_processes_do_not_book_the_same_shares(made: MixedDesk, tmp_path: Path) -> None:
    other = open_store(tmp_path / "store.db", made.store.market, made.store.account)

    class Late:
        """Reads positions as they were before the other process booked."""

        def __init__(self) -> None:
            self._before = made.store.positions()

        def position(self, _name: str):
            return self._before[0]

        def __getattr__(self, name: str):
            return getattr(other, name)

    late = replace(made.desk, store=Late())  # type: ignore[arg-type]
    assert book(made, stated(made, units=150))
    with pytest.raises(StoreError, match="owes 50 shares by now, not 200"):
        book_purchase(late, stated(made), who="another")
    assert owed(made) == [(50, 1_350_00, EXPIRY)]
    assert len([it for it in other.intents() if "bought in" in it.why]) == 1
    assert other.audit_positions() == []
    other.close()


def test_what_is_owed_is_shown_until_it_is_booked(made: MixedDesk) -> None:
    name = stated(made).position_id
    text = (
        f"owed: 200 RELIANCE shares since 2026-02-24 (leg 2 of {name}); when the contract note has "
        f"their price: strikeloom shortages book {name} --leg 2 --units 200 --price RUPEES "
        "--date YYYY-MM-DD"
    )
    board = load_board(made.desk)
    assert text in board_view(board).plain
    assert board_json(board)["owed"] == [text]
    page = header(board, Pulse(running=True, sentence="running"), 0)
    assert f'<div class="banner" data-owed>{text}</div>' in page
    book(made, stated(made))
    board = load_board(made.desk)
    assert "owed:" not in board_view(board).plain
    assert "data-owed" not in header(board, Pulse(running=True, sentence="running"), 0)


PROGRAM = Path(__file__).with_name("killed_shortage.py")


def _run(*arguments: object) -> int:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True).returncode


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("shortage") / "home"
    assert _run(home) == 0
    return home


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_killed_booking_is_whole_or_absent_and_is_repeated(
    prepared: Path, tmp_path: Path, place: str
) -> None:
    home = tmp_path / "home"
    shutil.copytree(prepared, home)
    assert _run(home, place, "store.record_purchase", 1) == -signal.SIGKILL
    made = next_day(MixedDesk(home))
    done = place == "after"
    assert owed(made) == ([] if done else [(200, 1_350_00, EXPIRY)])
    assert len([it for it in made.store.intents() if "bought in" in it.why]) == done
    assert book(made, stated(made)) is not done
    assert profit(made) == PROFIT
    assert made.store.audit_positions() == []
