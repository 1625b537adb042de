"""An account worked out by hand from the exchange's raw files: nothing of the product is used.

Trades go in; charges, daily settlements, expiries and deliveries follow from the files and from
rates retyped here from the circulars. What it holds and owns is compared with the product's.
"""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

#: Percent of the traded value (of an option its premium) from a day on, newest first.
#: STT: Finance (No. 2) Act 2024, Finance Act 2023. Exchange: NSE/FA/64232 of 2024-09-27,
#: NSE/FA/73061 of 2026-02-27; protection fund: the same. SEBI: Rs 10 a crore. Stamp: Stamp Act.
RATES: dict[tuple[str, str], list[tuple[date, str]]] = {
    ("option", "stt sale"): [(date(2024, 10, 1), "0.10"), (date(2023, 4, 1), "0.0625")],
    ("future", "stt sale"): [(date(2024, 10, 1), "0.02"), (date(2023, 4, 1), "0.0125")],
    ("share", "stt sale"): [(date(2018, 1, 1), "0.1")],
    ("share", "stt buy"): [(date(2018, 1, 1), "0.1")],
    ("option", "exchange"): [
        (date(2026, 3, 1), "0.03552"), (date(2024, 10, 1), "0.03503"),
        (date(2024, 4, 1), "0.0495"),
    ],
    ("future", "exchange"): [
        (date(2026, 3, 1), "0.0018299"), (date(2024, 10, 1), "0.00173"),
        (date(2024, 4, 1), "0.00188"),
    ],
    ("share", "exchange"): [(date(2026, 3, 1), "0.0030699"), (date(2024, 10, 1), "0.00297")],
    ("option", "fund"): [(date(2026, 3, 1), "0.00001"), (date(2023, 4, 1), "0.0005")],
    ("future", "fund"): [(date(2026, 3, 1), "0.0000001"), (date(2023, 4, 1), "0.0001")],
    ("share", "fund"): [(date(2026, 3, 1), "0.0000001"), (date(2023, 4, 1), "0.0001")],
    ("option", "stamp"): [(date(2020, 7, 1), "0.003")],
    ("future", "stamp"): [(date(2020, 7, 1), "0.002")],
    ("share", "stamp"): [(date(2020, 7, 1), "0.015")],
}  # fmt: skip
MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
SEBI, GST, EXERCISED = "0.0001", "18", "0.125"


@dataclass(frozen=True)
class Line:
    """One instrument as the files name it; strike in paise, ``right`` CE, PE, XX or EQ."""

    symbol: str
    expiry: str = ""
    strike: int = 0
    right: str = "EQ"

    @property
    def kind(self) -> str:
        """What it is charged as."""
        return {"EQ": "share", "XX": "future"}.get(self.right, "option")


def paise(text: str) -> int:
    """Paise of a price in a file."""
    return int((Decimal(text) * 100).to_integral_exact())


def part(amount: int, percent: str) -> int:
    """A percentage of an amount in whole paise."""
    exact = Decimal(amount) * Decimal(percent) / 100
    return int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))


def rate(kind: str, item: str, day: date) -> str:
    """Rate in force on a day; 0 where there is no such charge."""
    known = RATES.get((kind, item), [])
    return next((value for begins, value in known if begins <= day), "0")


def charged(line: Line, units: int, price: int, day: date) -> int:
    """Charges of an order that traded at once; units positive when bought."""
    value, kind = abs(units) * price, line.kind
    brokerage = {"share": 0, "option": 2000}.get(kind, min(2000, part(value, "0.03")))
    exchange = part(value, rate(kind, "exchange", day)) + part(value, rate(kind, "fund", day))
    sebi = part(value, SEBI)
    stt = part(value, rate(kind, "stt buy" if units > 0 else "stt sale", day))
    stamp = part(value, rate(kind, "stamp", day)) if units > 0 else 0
    return brokerage + exchange + sebi + stt + stamp + part(brokerage + exchange + sebi, GST)


@dataclass
class DayFile:
    """What the settlement of a day needs: prices by line, what ends, and where it ends."""

    settle: dict[Line, int] = field(default_factory=dict)
    level: dict[str, int] = field(default_factory=dict)
    ends: set[Line] = field(default_factory=set)
    stocks: set[str] = field(default_factory=set)


def day_of(text: str) -> DayFile:
    """Read the text of one UDiFF file."""
    found = DayFile()
    for row in csv.DictReader(io.StringIO(text)):
        future = row["FinInstrmTp"] in ("IDF", "STF")
        strike = 0 if future else paise(row["StrkPric"])
        line = Line(row["TckrSymb"], row["XpryDt"], strike, "XX" if future else row["OptnTp"])
        found.settle[line] = paise(row["SttlmPric"] or "0")
        if row["UndrlygPric"]:
            found.level[line.symbol] = paise(row["UndrlygPric"])
        if row["FinInstrmTp"] in ("STF", "STO"):
            found.stocks.add(line.symbol)
        if (row["FininstrmActlXpryDt"] or row["XpryDt"]) == row["TradDt"]:
            found.ends.add(line)
    return found


def zipped_day(folder: Path) -> Callable[[date], DayFile]:
    """Reader of a folder of zipped files, one a day."""

    def read(day: date) -> DayFile:
        path = folder / f"BhavCopy_NSE_FO_0_0_0_{day:%Y%m%d}_F_0000.csv.zip"
        with zipfile.ZipFile(path) as archive:
            return day_of(archive.read(archive.namelist()[0]).decode())

    return read


def archived_day(folder: Path) -> Callable[[date], DayFile]:
    """Reader of a folder of archives, one a month."""
    texts: dict[str, dict[str, str]] = {}

    def read(day: date) -> DayFile:
        month = f"{day:%Y-%m}"
        if month not in texts:
            texts.clear()
            (path,) = folder.glob(f"*{month}.tar.xz")
            with tarfile.open(path) as archive:
                texts[month] = {
                    item.name: stream.read().decode()
                    for item in archive.getmembers()
                    if (stream := archive.extractfile(item)) is not None
                }
        (text,) = (body for name, body in texts[month].items() if f"{day:%Y%m%d}" in name)
        return day_of(text)

    return read


def cash_closes(path: Path) -> dict[tuple[str, date], int]:
    """Closing price in paise by symbol and day, of a stacked cash file."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        rows = csv.reader(stream)
        names = [name.strip() for name in next(rows)]
        place = {name: names.index(name) for name in ("SYMBOL", "SERIES", "DATE1", "CLOSE_PRICE")}
        return {
            (
                row[place["SYMBOL"]].strip(),
                _date(row[place["DATE1"]].strip()),
            ): paise(row[place["CLOSE_PRICE"]].strip())
            for row in rows
            if row[place["SERIES"]].strip() == "EQ"
        }


def _date(text: str) -> date:
    day, month, year = text.split("-")
    return date(int(year), MONTHS.index(month) // 3 + 1, int(day))


class HandAccount:
    """Cash and holdings of one account; paise and units.

    Parameters
    ----------
    read : callable
        Settlement facts of a day.
    """

    def __init__(self, cash: int, read: Callable[[date], DayFile]) -> None:
        self.cash = cash
        self.charges = 0
        self.held: Counter[Line] = Counter()
        self.lacking: Counter[str] = Counter()
        self._read = read
        self._carried: dict[Line, int] = {}  # settlement price up to which a future is paid
        self._today: dict[Line, list[tuple[int, int]]] = defaultdict(list)

    def trade(self, line: Line, units: int, price: int, day: date) -> None:
        """One order that traded at once at one price; units positive when bought."""
        self._charge(charged(line, units, price, day))
        if line.kind == "future":
            self._today[line].append((units, price))
        else:
            self.cash -= units * price
        self.held[line] += units

    def _charge(self, amount: int) -> None:
        self.cash -= amount
        self.charges += amount

    def end_of(self, day: date) -> None:
        """Settle the futures of a day, then what ends on it."""
        file = self._read(day)
        for line in [line for line in self.held if line.kind == "future"]:
            final = line in file.ends
            price = file.level[line.symbol] if final else file.settle[line]
            fresh = self._today.pop(line, [])
            carried = self.held[line] - sum(units for units, _ in fresh)
            if carried:
                self.cash += carried * (price - self._carried[line])
            self.cash += sum(units * (price - paid) for units, paid in fresh)
            self._carried[line] = price
        ended = [line for line, units in self.held.items() if units and line in file.ends]
        for name in {(line.symbol, line.expiry) for line in ended}:
            self._settle([line for line in ended if (line.symbol, line.expiry) == name], file)
        self.held = Counter({line: units for line, units in self.held.items() if units})

    def _settle(self, lines: list[Line], file: DayFile) -> None:
        level = file.level[lines[0].symbol]
        worth = {line: _worth(line, level) for line in lines}
        for line in lines:
            if line.kind == "option":
                self.cash += self.held[line] * worth[line]
        live = [line for line in lines if worth[line] or line.kind == "future"]
        delivering = lines[0].symbol in file.stocks
        takes = {line: self.held[line] * (-1 if line.right == "PE" else 1) for line in live}
        shares = sum(takes.values()) if delivering else 0
        parts = _shared(takes, shares)
        for line in live:
            units, delivered = self.held[line], parts.get(line, 0)
            if units > 0 and line.kind == "option":
                self._charge(part((units - delivered) * worth[line], EXERCISED))
            paid = delivered * (line.strike if line.kind == "option" else level)
            self._charge(part(paid, "0.1"))  # STT of shares delivered, both sides
            if shares > 0:
                self._charge(part(paid, "0.015"))  # stamps of who receives them
        share = Line(lines[0].symbol)
        self.cash -= shares * level
        self.held[share] += shares
        for line in lines:
            del self.held[line]


def _worth(line: Line, level: int) -> int:
    if line.kind == "future":
        return 0
    return max(0, level - line.strike if line.right == "CE" else line.strike - level)


def _shared(takes: dict[Line, int], shares: int) -> dict[Line, int]:
    """Units of each line on the larger side that are delivered, in proportion, in strike order."""
    larger = sorted(
        (line for line, units in takes.items() if shares and units * shares > 0),
        key=lambda line: (line.right != "XX", line.strike, line.right),
    )
    whole, before, found = sum(abs(takes[line]) for line in larger), 0, {}
    for line in larger:
        start, before = before, before + abs(takes[line])
        found[line] = abs(shares) * before // whole - abs(shares) * start // whole
    return found
