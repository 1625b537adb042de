"""A desk that books a delivery and is killed with SIGKILL at a stated moment.

Usage: killed_settlement.py HOME PLACE CALL COUNT, as ``killed_watcher``. Without PLACE it enters
the positions, and ends.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[1]))

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.trading.reconcile import reconcile
from support.fakes import EXPIRY
from support.mixed_legs import LOT, RELIANCE, SHARE, MixedDesk, stock_option

CALL, PUT = stock_option(1_420), stock_option(1_340, Right.PUT)
FINAL = 1_450_00


def entered(home: Path) -> MixedDesk:
    """A covered call, one call sold without shares and one bought at a lower strike."""
    made = MixedDesk(home)
    low = made.show(stock_option(1_300), 90_00, 91_00)
    made.show(CALL, 20_00, 20_50)
    made.hold("covered_call", (SHARE, Side.BUY, LOT, 1_400_00), (CALL, Side.SELL, 1, 20_00))
    made.hold("short_call", (CALL, Side.SELL, 2, 20_00))
    made.hold("long_call", (low, Side.BUY, 1, 90_00))
    return made


def ended(home: Path) -> MixedDesk:
    """The same desk after the close of the last day, with a broker that forgot its orders."""
    made = MixedDesk(home)
    made.at(f"{EXPIRY} 15:30")
    made.feed.settlements[RELIANCE, EXPIRY] = FINAL
    return made


def main() -> None:
    from killed_watcher import Mortal

    home = Path(sys.argv[1])
    if len(sys.argv) == 2:
        entered(home)
        return
    place, call, count = sys.argv[2], sys.argv[3], int(sys.argv[4])
    made = ended(home)
    store = cast("Any", Mortal(made.store, "store", place, call, count))
    reconcile(replace(made.desk, store=store))


if __name__ == "__main__":
    main()
