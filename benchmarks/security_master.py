"""Reading the broker's list of instruments: seconds and memory, against the bars.

The whole list (``STRIKELOOM_SHARED``/data/scrip_master) where it is, else one made as large.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from datetime import date
from pathlib import Path

from strikeloom.adapters.dhan.master_store import MasterStore
from strikeloom.adapters.dhan.security_master import parse_master, read_master

ROWS, BAR_SECONDS, BAR_MB = 273_026, 5.0, 600
HEAD = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,"
    "SEM_TRADING_SYMBOL,SEM_LOT_UNITS,SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,"
    "SEM_OPTION_TYPE,SEM_TICK_SIZE,SEM_EXPIRY_FLAG,SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,"
    "SM_SYMBOL_NAME\n"
)


def made() -> bytes:
    rows = (
        f"NSE,D,{n},OPTSTK,0,M&M-Feb2030-{n}-CE,200.0,M&M 26 FEB {n} CALL,2030-02-26 14:30:00,"
        f"{n}.00000,CE,5.0000,M,OP,,\n"
        for n in range(1, ROWS + 1)
    )
    return (HEAD + "".join(rows)).encode()


def main() -> None:
    shared = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared"))
    path = shared / "data" / "scrip_master" / "api-scrip-master.csv.gz"
    began = time.perf_counter()
    master = read_master(path) if path.exists() else parse_master(made(), "a made list")
    with tempfile.TemporaryDirectory() as folder:
        MasterStore(Path(folder)).keep(master, date(2026, 2, 10))
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"master     {master.read:,} rows in {seconds:.2f} s, {BAR_SECONDS / seconds:.1f} times "
        f"under the bar of {BAR_SECONDS:.0f} s; {memory:.0f} MB at most, bar {BAR_MB} MB"
    )


if __name__ == "__main__":
    main()
