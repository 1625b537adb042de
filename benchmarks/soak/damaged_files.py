"""Real files with damage done to them: refused or flagged by name, nothing else stored, always.

Needs the exchange's files (``STRIKELOOM_SHARED/data``). Each kind of damage is imported into a
history that holds the session before. The suite runs every kind once, on an eighth of the
contracts. ``python benchmarks/soak/damaged_files.py [SHARED_DATA [SEED]]``.
"""

# ruff: noqa: ARG001, ARG005 - every kind of damage is given the lines and the random numbers
from __future__ import annotations

import gzip
import io
import os
import random
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[3] / "shared")) / "data"
ROUNDS, SEED = 3, 11

UDIFF = "fo_bhavcopy/udiff/BhavCopy_NSE_FO_0_0_0_{}_F_0000.csv.zip"
BEFORE, DAY, SUNDAY = "2026-01-23", "2026-01-27", "2026-01-25"  # DAY is an expiry day
BAN = b"Securities in Ban For Trade Date 27-JAN-2026:\n1,SAIL\n2,RELIANCE\n3,INFY\n"


class Lines:
    """A file as a header and rows of fields."""

    def __init__(self, body: bytes) -> None:
        lines = body.decode().splitlines()
        self.header = lines[0].split(",")
        self.rows = [line.split(",") for line in lines[1:]]
        self.places = {name.strip(): place for place, name in enumerate(self.header)}

    def body(self) -> bytes:
        return ("\n".join(",".join(row) for row in [self.header, *self.rows]) + "\n").encode()

    def get(self, row: int, column: str) -> str:
        return self.rows[row][self.places[column]].strip()

    def put(self, row: int, column: str, value: object) -> None:
        self.rows[row][self.places[column]] = str(value)

    def scale(self, column: str, factor: float, rows: list[int] | None = None) -> None:
        for row in range(len(self.rows)) if rows is None else rows:
            text = self.get(row, column)
            if text not in ("", "-"):
                self.put(row, column, f"{float(text) * factor:.10g}")

    def where(self, **wanted: str) -> list[int]:
        return [
            row
            for row in range(len(self.rows))
            if all(self.get(row, name) == value for name, value in wanted.items())
        ]


Damage = Callable[[Lines, random.Random], object]


@dataclass(frozen=True)
class Kind:
    """One kind of damage; ``change`` edits the lines, or returns the bytes of the file."""

    file: str
    name: str
    change: Damage
    path: str = "file.csv"


KINDS: list[Kind] = []


def kind(file: str, name: str, path: str = "file.csv") -> Callable[[Damage], Damage]:
    def add(change: Damage) -> Damage:
        KINDS.append(Kind(file, name, change, path))
        return change

    return add


def _traded(lines: Lines, volume: str, right: str, rng: random.Random) -> int:
    rows = [
        row
        for row in range(len(lines.rows))
        if lines.get(row, right) in ("CE", "PE") and float(lines.get(row, volume)) > 0
    ]
    return rng.choice(rows)


def _scaled(*columns: str, factor: float = 100) -> Damage:
    def change(lines: Lines, rng: random.Random) -> None:
        for column in columns:
            lines.scale(column, factor)

    return change


def _put(column: str, value: object) -> Damage:
    def change(lines: Lines, rng: random.Random) -> None:
        for row in range(len(lines.rows)):
            lines.put(row, column, value)

    return change


def _once(column: str, value: object) -> Damage:
    def change(lines: Lines, rng: random.Random) -> None:
        lines.put(rng.randrange(len(lines.rows)), column, value)

    return change


def _times(column: str, factor: float, right: str = "") -> Damage:
    def change(lines: Lines, rng: random.Random) -> None:
        rows = [r for r in range(len(lines.rows)) if not right or lines.get(r, right) == "CE"]
        known = [r for r in rows if lines.get(r, column) not in ("", "-", "0", "0.00")]
        lines.scale(column, factor, [rng.choice(known)])

    return change


def _cut(share: float) -> Damage:
    def change(lines: Lines, rng: random.Random) -> None:
        del lines.rows[int(len(lines.rows) * share) :]

    return change


def _inside(lines: Lines, rng: random.Random) -> bytes:
    body = lines.body()
    place = rng.randrange(len(body) // 2, len(body) - 100)
    return body[: body.index(b",", place) + 1]


def _carriage(lines: Lines, rng: random.Random) -> bytes:
    body = lines.body()
    first = body.index(b"\n")
    place = body.index(b",", first + rng.randrange(20)) + 1
    return body[:place] + b"\r" + body[place:]


def _binary(lines: Lines, rng: random.Random) -> bytes:
    body = bytearray(lines.body())
    place = rng.randrange(len(body) // 4, len(body) // 2)
    body[place : place + 400] = rng.randbytes(400)
    return bytes(body)


def _zeros(lines: Lines, rng: random.Random) -> bytes:
    body = bytearray(lines.body())
    place = rng.randrange(len(body) // 4, len(body) // 2)
    body[place : place + 4096] = bytes(min(4096, len(body) - place))
    return bytes(body)


def _nested(lines: Lines, rng: random.Random) -> bytes:
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.csv", lines.body())
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("a.csv.zip", inner.getvalue())
    return outer.getvalue()


def _letters(column: str) -> Damage:
    return _once(column, "12O.5")


for _file in ("udiff", "legacy", "cash", "index", "vix"):
    kind(_file, "carriage return in a row")(_carriage)
    kind(_file, "random bytes")(_binary)
    kind(_file, "a block of zeros")(_zeros)
    kind(_file, "a zip in a zip")(_nested)
    kind(_file, "cut inside a line")(_inside)
for _file in ("udiff", "legacy", "cash", "index"):
    kind(_file, "cut at a line end, half")(_cut(0.5))
kind("udiff", "cut at a line end, a tenth")(_cut(0.9))
kind("udiff", "UTF-16")(lambda lines, rng: lines.body().decode().encode("utf-16"))
kind("udiff", "a number with a letter")(_letters("SttlmPric"))
kind("udiff", "ended before the day, one row")(_once("FininstrmActlXpryDt", "2026-01-20"))
kind("udiff", "expiry before the day, one row")(_once("XpryDt", "2026-01-20"))
kind("udiff", "all strikes x100")(_scaled("StrkPric"))
kind("udiff", "one strike x100")(_times("StrkPric", 100, "OptnTp"))
kind("udiff", "one strike x1.5")(_times("StrkPric", 1.5, "OptnTp"))
_ALL = ("OpnPric", "HghPric", "LwPric", "ClsPric", "LastPric", "SttlmPric")
kind("udiff", "all prices x100")(_scaled(*_ALL))
kind("udiff", "all prices, strikes and levels x100")(
    _scaled(*_ALL, "StrkPric", "UndrlygPric", "PrvsClsgPric")
)
for _column in ("OpnPric", "HghPric", "LwPric", "ClsPric", "SttlmPric", "PrvsClsgPric"):
    kind("udiff", f"{_column} x100")(_scaled(_column))
kind("udiff", "LwPric / 100")(_scaled("LwPric", factor=0.01))
kind("udiff", "one underlying x10")(_times("UndrlygPric", 10))
kind("udiff", "one underlying 0")(_once("UndrlygPric", 0))
kind("udiff", "every underlying 0")(_put("UndrlygPric", 0))
kind("udiff", "every underlying x10")(_scaled("UndrlygPric", factor=10))
kind("udiff", "one lot x10")(_times("NewBrdLotQty", 10))
kind("udiff", "all lots x10")(_scaled("NewBrdLotQty", factor=10))
kind("udiff", "one previous close x10")(_times("PrvsClsgPric", 10, "OptnTp"))
kind("udiff", "one row of another day")(_once("TradDt", "2026-01-23"))
kind("udiff", "a Sunday that was no session")(_put("TradDt", SUNDAY))
kind("udiff", "another session's date")(_put("TradDt", "2026-01-28"))
kind("udiff", "another date in the name", UDIFF.format("20260128").split("/")[-1][:-4])(
    lambda lines, rng: None
)
kind("udiff", "segment of another exchange")(_put("Src", "BSE"))
kind("udiff", "one negative volume")(_once("TtlTradgVol", -5))
kind("udiff", "an unknown right")(_once("OptnTp", "QQ"))


@kind("udiff", "close outside low to high, one row")
def _outside(lines: Lines, rng: random.Random) -> None:
    row = _traded(lines, "TtlTradgVol", "OptnTp", rng)
    lines.put(row, "ClsPric", float(lines.get(row, "HghPric")) + 1)


@kind("udiff", "three finals of one underlying")
def _finals(lines: Lines, rng: random.Random) -> None:
    rows = lines.where(TckrSymb="RELIANCE", FininstrmActlXpryDt=DAY)
    for row in rows[: len(rows) // 3]:
        lines.put(row, "SttlmPric", "1111.10")
    for row in rows[-len(rows) // 4 :]:
        lines.put(row, "SttlmPric", "2222.20")


@kind("udiff", "volume in units")
def _units(lines: Lines, rng: random.Random) -> None:
    for row in range(len(lines.rows)):
        volume = int(lines.get(row, "TtlTradgVol")) * int(lines.get(row, "NewBrdLotQty"))
        lines.put(row, "TtlTradgVol", volume)


@kind("udiff", "open interest in lots")
def _interest(lines: Lines, rng: random.Random) -> None:
    for row in range(len(lines.rows)):
        lot = int(lines.get(row, "NewBrdLotQty"))
        for column in ("OpnIntrst", "ChngInOpnIntrst"):
            lines.put(row, column, int(lines.get(row, column)) // lot)


@kind("udiff", "one instrument id twice")
def _twice(lines: Lines, rng: random.Random) -> None:
    one, other = rng.sample(range(len(lines.rows)), 2)
    lines.put(one, "FinInstrmId", lines.get(other, "FinInstrmId"))


@kind("udiff", "an index option as a stock's")
def _kind(lines: Lines, rng: random.Random) -> None:
    lines.put(rng.choice(lines.where(FinInstrmTp="IDO")), "FinInstrmTp", "STO")


@kind("udiff", "one row twice with other prices")
def _doubled(lines: Lines, rng: random.Random) -> None:
    row = list(rng.choice(lines.rows))
    row[lines.places["OpnIntrst"]] = str(int(row[lines.places["OpnIntrst"]]) + 10)
    lines.rows.append(row)


@kind("udiff", "rows of six symbols lost")
def _lost(lines: Lines, rng: random.Random) -> None:
    names = sorted({lines.get(row, "TckrSymb") for row in range(len(lines.rows))})
    gone = set(rng.sample([name for name in names if "NIFTY" not in name], 6))
    lines.rows = [row for row in lines.rows if row[lines.places["TckrSymb"]] not in gone]


@kind("udiff", "two columns changed over")
def _exchanged(lines: Lines, rng: random.Random) -> None:
    one, other = lines.places["HghPric"], lines.places["LwPric"]
    lines.header[one], lines.header[other] = lines.header[other], lines.header[one]


def _live(column: str, value: Callable[[str], object], **wanted: str) -> Damage:
    """Change a column of the options that do not end on the day: final settlements show nothing."""

    def change(lines: Lines, rng: random.Random) -> None:
        for row in lines.where(**wanted):
            if lines.get(row, "OptnTp") and lines.get(row, "FininstrmActlXpryDt") != DAY:
                lines.put(row, column, value(lines.get(row, column)))

    return change


kind("udiff", "settlements / 100")(_live("SttlmPric", lambda text: f"{float(text) / 100:.2f}"))
kind("udiff", "stocks settled at 0")(_live("SttlmPric", lambda text: 0, FinInstrmTp="STO"))
kind("udiff", "RELIANCE settled at 0")(_live("SttlmPric", lambda text: 0, TckrSymb="RELIANCE"))
kind("udiff", "RELIANCE without settlements")(
    _live("SttlmPric", lambda text: "", TckrSymb="RELIANCE")
)
kind("udiff", "puts of RELIANCE as calls")(_live("OptnTp", lambda text: "CE", TckrSymb="RELIANCE"))
kind("udiff", "no volume anywhere")(_put("TtlTradgVol", 0))
kind("udiff", "one volume x10")(_times("TtlTradgVol", 10, "OptnTp"))
kind("udiff", "no open interest anywhere")(_put("OpnIntrst", 0))
kind("udiff", "futures without closes")(
    lambda lines, rng: [lines.put(row, "ClsPric", 0) for row in lines.where(OptnTp="")]
)
kind("udiff", "expiries a day later")(
    _live("XpryDt", lambda text: (date.fromisoformat(text) + timedelta(days=1)).isoformat())
)


@kind("udiff", "closes and last prices changed over")
def _last(lines: Lines, rng: random.Random) -> None:
    one, other = lines.places["ClsPric"], lines.places["LastPric"]
    for row in lines.rows:
        if row[lines.places["FininstrmActlXpryDt"]] != DAY:
            row[one], row[other] = row[other], row[one]


@kind("udiff", "stocks as indices and indices as stocks")
def _kinds(lines: Lines, rng: random.Random) -> None:
    other = {"IDO": "STO", "STO": "IDO", "IDF": "STF", "STF": "IDF"}
    for row in range(len(lines.rows)):
        lines.put(row, "FinInstrmTp", other[lines.get(row, "FinInstrmTp")])


_OLD = ("OPEN", "HIGH", "LOW", "CLOSE", "SETTLE_PR")
kind("legacy", "all strikes x100")(_scaled("STRIKE_PR"))
kind("legacy", "one strike x100")(_times("STRIKE_PR", 100, "OPTION_TYP"))
kind("legacy", "all prices x100")(_scaled(*_OLD))
kind("legacy", "all prices and strikes x100")(_scaled(*_OLD, "STRIKE_PR"))
kind("legacy", "CLOSE x100")(_scaled("CLOSE"))
kind("legacy", "a Sunday that was no session")(_put("TIMESTAMP", "25-JAN-2026"))
kind("legacy", "expiry before the day, one row")(_once("EXPIRY_DT", "20-Jan-2026"))
kind("legacy", "open interest in lots of 100")(_scaled("OPEN_INT", "CHG_IN_OI", factor=100))
kind("legacy", "an unknown instrument")(_once("INSTRUMENT", "OPTXYZ"))


@kind("legacy", "close outside low to high, one row")
def _old_outside(lines: Lines, rng: random.Random) -> None:
    row = _traded(lines, "CONTRACTS", "OPTION_TYP", rng)
    lines.put(row, "CLOSE", float(lines.get(row, "LOW")) / 2)


@kind("legacy", "three finals of one underlying")
def _old_finals(lines: Lines, rng: random.Random) -> None:
    rows = lines.where(SYMBOL="RELIANCE", EXPIRY_DT="27-Jan-2026")
    for row in rows[: len(rows) // 3]:
        lines.put(row, "SETTLE_PR", "1111.10")
    for row in rows[-len(rows) // 4 :]:
        lines.put(row, "SETTLE_PR", "2222.20")


_CASH = ("OPEN_PRICE", "HIGH_PRICE", "LOW_PRICE", "LAST_PRICE", "CLOSE_PRICE", "AVG_PRICE")
kind("cash", "all prices x100")(_scaled(*_CASH))
kind("cash", "all prices and previous closes x100")(_scaled(*_CASH, "PREV_CLOSE"))
kind("cash", "one close x10")(_times("CLOSE_PRICE", 10))
kind("cash", "one previous close x10")(_times("PREV_CLOSE", 10))
kind("cash", "a Sunday that was no session")(_put("DATE1", " 25-Jan-2026"))
kind("cash", "another date in the name", "sec_bhavdata_full_28012026.csv")(lambda lines, rng: None)
kind("cash", "one negative volume")(_once("TTL_TRD_QNTY", -1))
kind("cash", "low 0 in one row")(_once("LOW_PRICE", 0))

_FOUR = ("Open Index Value", "High Index Value", "Low Index Value", "Closing Index Value")
kind("index", "all levels x100")(_scaled(*_FOUR))
kind("index", "one close x10")(_times(_FOUR[3], 10))
kind("index", "a Sunday that was no session")(_put("Index Date", "05-01-2025"))
kind("index", "another date in the name", "ind_close_all_08012025.csv")(lambda lines, rng: None)

kind("vix", "all levels x100")(_scaled("Open", "High", "Low", "Close"))
kind("vix", "one close x10")(_times("Close", 10))
kind("vix", "one row x10")(
    lambda lines, rng: [
        lines.scale(side, 10, [rows])
        for rows in [rng.randrange(len(lines.rows))]
        for side in ("Open", "High", "Low", "Close")
    ]
)
kind("vix", "a Sunday that was no session")(_once("Date", "25-JAN-2026"))
kind("vix", "a day twice with other levels")(
    lambda lines, rng: lines.rows.append(["30-JUL-2026", *lines.rows[9][1:]])
)

kind("ban", "a line lost")(lambda lines, rng: BAN.replace(b"2,RELIANCE\n", b""))
kind("ban", "a symbol damaged")(lambda lines, rng: BAN.replace(b"RELIANCE", b"RELIENCE"))
kind("ban", "a Sunday that was no session")(lambda lines, rng: BAN.replace(b"27-JAN", b"25-JAN"))
kind("ban", "random bytes")(lambda lines, rng: BAN[:60] + rng.randbytes(40) + b"\n")
kind("ban", "cut inside a line")(lambda lines, rng: BAN[: BAN.index(b"RELI")])
kind("ban", "cut inside a symbol")(lambda lines, rng: BAN[: BAN.index(b"INFY") + 2])
kind("ban", "no date")(lambda lines, rng: BAN.replace(b"27-JAN-2026", b""))


def text_of(path: Path) -> bytes:
    """Unpacked text of a file."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read(archive.namelist()[0])
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def fewer(body: bytes, share: int) -> bytes:
    """Every so-manieth option of a file of contracts, by strike; all its futures."""
    lines = Lines(body)
    strike = "StrkPric" if "StrkPric" in lines.places else "STRIKE_PR"
    lines.rows = [
        row
        for row in lines.rows
        if share == 1
        or row[lines.places[strike]] in ("", "0")
        or int(float(row[lines.places[strike]]) * 20) % (2 * share - 1) < 2
    ]
    return lines.body()


def files(data: Path, share: int) -> dict[str, bytes]:
    """Whole files to damage by type."""
    return {
        "udiff": fewer(text_of(data / UDIFF.format(DAY.replace("-", ""))), share),
        "legacy": fewer(
            text_of(data / "fo_bhavcopy/legacy_derived/fo27JAN2026bhav.csv.zip"), share
        ),
        "cash": text_of(data / f"cm_bhavcopy/daily/{DAY}.csv.gz"),
        "index": text_of(data / "indices/ind_close_all_07012025.csv"),
        "vix": text_of(data / "indices/india_vix_2012_2026.csv.gz"),
        "ban": BAN,
    }


def stored(folder: Path) -> dict[str, bytes]:
    """Every stored file but the record of files and the lock."""
    kept = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != ".lock")
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in kept}


def before(data: Path, folder: Path, share: int) -> ParquetHistory:
    """A history that holds the session before."""
    history = ParquetHistory(folder / "before", "nse")
    place = folder / "good.csv"
    for body in (
        fewer(text_of(data / UDIFF.format(BEFORE.replace("-", ""))), share),
        text_of(data / f"cm_bhavcopy/daily/{BEFORE}.csv.gz"),
        text_of(data / "indices/ind_close_all_06012025.csv"),
    ):
        place.write_bytes(body)
        assert not import_paths([place], history).refused
    return history


def rows_of(history: Path) -> dict[str, pa.Table]:
    """Stored rows by partition."""
    return {
        path.relative_to(history).as_posix(): pq.read_table(path)
        for path in sorted(history.rglob("*.parquet"))
    }


def only_good(found: Path, whole: Path, lost: int) -> bool:
    """Whether the stored rows are those of the whole file, less so many."""
    here, there = rows_of(found), rows_of(whole)
    missing = 0
    for name, table in here.items():
        if name not in there:
            return False
        rows = set(map(repr, there[name].to_pylist())) if not table.equals(there[name]) else set()
        if rows and not rows.issuperset(map(repr, table.to_pylist())):
            return False
        missing += len(there[name]) - len(table)
    return missing == lost and here.keys() == there.keys()


@dataclass(frozen=True)
class Result:
    """What became of one damaged file."""

    kind: Kind
    outcome: str
    message: str

    @property
    def right(self) -> bool:
        """Refused without a trace, or only the damaged rows left out."""
        return self.outcome in ("refused", "rows left out")


def run(data: Path, folder: Path, *, rounds: int, share: int, seed: int = SEED) -> list[Result]:
    """Import every kind of damaged file, so often each."""
    history = before(data, folder, share)
    clean = stored(history.folder)
    good = files(data, share)
    wholes: dict[str, Path] = {}
    for name, body in good.items():
        wholes[name] = folder / f"whole-{name}"
        shutil.copytree(history.folder, wholes[name])
        (folder / "file.csv").write_bytes(body)
        assert not import_paths([folder / "file.csv"], ParquetHistory(wholes[name], "nse")).refused
    results = []
    for number in range(rounds):
        for place, item in enumerate(KINDS):
            rng = random.Random(f"{seed} {number} {place}")
            lines = Lines(good[item.file])
            changed = item.change(lines, rng)
            body = changed if isinstance(changed, bytes) else lines.body()
            results.append(_result(item, body, folder, clean, wholes))
    return results


def _result(
    item: Kind, body: bytes, folder: Path, clean: dict[str, bytes], wholes: dict[str, Path]
) -> Result:
    trial, path = folder / "trial", folder / item.path
    shutil.copytree(folder / "before", trial)
    path.write_bytes(body)
    try:
        (outcome,) = import_paths([path], ParquetHistory(trial, "nse")).files
    except Exception as error:  # noqa: BLE001 - what the fuzz looks for
        return Result(item, "TRACEBACK", repr(error))
    finally:
        path.unlink()
        left = stored(trial)
        rows = trial.rename(folder / "checked")
    try:
        if outcome.status == "refused":
            named = path.name in outcome.message
            what = "refused" if left == clean and named else "HALF WRITTEN"
        elif outcome.left_out:
            good = only_good(rows, wholes[item.file], outcome.left_out)
            what = "rows left out" if good else "DAMAGE STORED"
        else:
            what = "ACCEPTED"
        return Result(item, what, outcome.message)
    finally:
        shutil.rmtree(rows)


def main(data: Path, seed: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        results = run(data, Path(folder), rounds=ROUNDS, share=1, seed=seed)
    first = {(item.kind.file, item.kind.name): item for item in reversed(results)}
    for item in reversed(list(first.values())):
        message = item.message.replace("\n", " ")[:110]
        print(f"{item.kind.file:7} {item.kind.name:38} {item.outcome:14} {message}")
    wrong = [item for item in results if not item.right]
    print(
        f"damaged    {len(KINDS)} kinds, {len(results)} files: "
        f"{sum(item.outcome == 'refused' for item in results)} refused, "
        f"{sum(item.outcome == 'rows left out' for item in results)} with rows left out, "
        f"{len(wrong)} wrong {sorted({(w.kind.file, w.kind.name, w.outcome) for w in wrong})}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(Path(given[0]) if given else SHARED, int(given[1]) if given[1:] else SEED))
