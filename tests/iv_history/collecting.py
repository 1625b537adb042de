"""Collect a range of days in a process of its own, to be killed: home, market, first, processes."""

from __future__ import annotations

import sys
from pathlib import Path

from strikeloom import iv_history
from strikeloom.desk import open_desk, open_workers


def main(home: str, market: str, first: str, processes: str) -> None:
    desk = open_desk(market, home=Path(home))
    gaps = iv_history.find_gaps(desk, first)
    workers = open_workers(len(gaps.todo), processes=int(processes))
    for outcome in iv_history.collect(desk, gaps, workers):
        sys.stdout.write(f"{outcome.item} {outcome.error}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
