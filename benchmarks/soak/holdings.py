"""Hold every contract that the exchange changed in the stored days, over that night to its end.

Every split, dividend with lower strikes and rename of January to March 2026, the three nights of
2025 on which expiries were moved, and the five of 2024 and 2025 on which lots of index contracts
were changed. Fails at the first holding that is another contract, does not settle, or settles at
another value than the exchange's.

    STRIKELOOM_SHARED=/path/to/shared .venv/bin/python benchmarks/soak/holdings.py
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("STRIKELOOM_MODE", "replay")

from support.changed_contracts import (
    ENDS_2025,
    ENDS_2026,
    ENDS_OF_LOTS,
    OF_2025,
    OF_2026,
    OF_LOTS,
    carry_all,
)


def main() -> None:
    """Print the holdings of each night, and how many stayed on the lists to their end."""
    logging.disable(logging.CRITICAL)
    shared = Path(os.environ.get("STRIKELOOM_SHARED", ROOT.parent / "shared")) / "data"
    total = 0
    for nights, ends in ((OF_2026, ENDS_2026), (OF_2025, ENDS_2025), (OF_LOTS, ENDS_OF_LOTS)):
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            for night, held, whole in carry_all(shared, Path(folder), nights, ends, None):
                total += held
                took, begun = time.perf_counter() - begun, time.perf_counter()
                print(
                    f"{night.day} {' '.join(night.symbols):<16} {held:>4} held, {whole:>4} on the "
                    f"lists to the end, all as the exchange has them ({took:.1f} s)"
                )
    print(f"{total:,} holdings")


if __name__ == "__main__":
    main()
