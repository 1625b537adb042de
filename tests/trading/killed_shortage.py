"""A desk that books a purchase of lacking shares and is killed with SIGKILL at a stated moment.

Usage: killed_shortage.py HOME PLACE CALL COUNT, as ``killed_watcher``. Without PLACE it enters the
position and ends in the short delivery.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[1]))

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.trading.reconcile import reconcile
from strikeloom.trading.shortages import Purchase, book_purchase, owed_shares
from support.fakes import EXPIRY
from support.mixed_legs import LOT, RELIANCE, SHARE, MixedDesk, stock_option

PUT = stock_option(1_380, Right.PUT)
AUCTION = date(2026, 2, 25)


def owing(home: Path, *, reports: bool = False) -> MixedDesk:
    """300 of 500 shares are delivered at 1,350; the others are owed. The next day closes at 1,360.

    The broker lists none of it any more.
    """
    made = MixedDesk(home, reports=reports)
    made.show(PUT, 15_00, 15_50)
    made.hold("protective_put", (SHARE, Side.BUY, 300, 1_400_00), (PUT, Side.BUY, 1, 15_00))
    made.at(f"{EXPIRY} 15:30")
    made.feed.settlements[RELIANCE, EXPIRY] = 1_350_00
    made.ledger.end(PUT.key, -LOT, 30_00)
    made.ledger.end(SHARE.key, -300, 1_350_00, kind="delivery")
    reconcile(made.desk)
    return next_day(made)


def next_day(made: MixedDesk) -> MixedDesk:
    """The evening of the auction."""
    made.at(f"{AUCTION} 18:00")
    made.feed.settlements[RELIANCE, EXPIRY] = 1_350_00
    made.feed.settlements[RELIANCE, AUCTION] = 1_360_00
    return made


def stated(made: MixedDesk, units: int = 200, price: int = 1_410_55, **other: Any) -> Purchase:
    """A purchase of what the only position owes, as the note has it."""
    (position,) = made.store.positions(open_only=False)
    return Purchase(position.position_id, 2, units, price, AUCTION, **other)


def main() -> None:
    from killed_watcher import Mortal

    home = Path(sys.argv[1])
    if len(sys.argv) == 2:
        made = owing(home)
        assert [it.units for it in owed_shares(made.store.positions())] == [200]
        return
    place, call, count = sys.argv[2], sys.argv[3], int(sys.argv[4])
    made = next_day(MixedDesk(home))
    store = cast("Any", Mortal(made.store, "store", place, call, count))
    book_purchase(replace(made.desk, store=store), stated(made), who="a person")


if __name__ == "__main__":
    main()
