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
#: Dhan's fee for each company and day that shares leave the account: Rs 12.50 and GST.
DEPOSITORY = 1250 + 225


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
    ids: dict[Line, str] = field(default_factory=dict)
    lots: dict[Line, int] = field(default_factory=dict)


def day_of(text: str) -> DayFile:
    """Read the text of one UDiFF file."""
    found = DayFile()
    for row in csv.DictReader(io.StringIO(text)):
        future = row["FinInstrmTp"] in ("IDF", "STF")
        strike = 0 if future else paise(row["StrkPric"])
        line = Line(row["TckrSymb"], row["XpryDt"], strike, "XX" if future else row["OptnTp"])
        found.ids[line], found.lots[line] = row["FinInstrmId"], int(row["NewBrdLotQty"])
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
        #: Paise that futures were carried on lower, by symbol and ex-date.
        self.dividends: Counter[tuple[str, date]] = Counter()
        self._read = read
        self._before: DayFile | None = None
        self._left: set[str] = set()  # symbols of shares that leave the account today
        self._carried: dict[Line, int] = {}  # value up to which a future held is paid
        self._today: dict[Line, list[tuple[int, int]]] = defaultdict(list)

    def morning_of(self, day: date) -> None:
        """Follow what is held by its id, where the exchange gave it another name overnight.

        A dividend lowers its strike, an expiry is moved, a split also changes its lot. Futures
        are carried on at their settlement price less the dividend (NSE Clearing, adjustment of
        contracts; of one dividend NCL/CMPT/71225 of 2025-11-11). The files do not show it: their
        previous close of a future is that of the eve.
        """
        if self._before is None or not any(line.right != "EQ" for line in self.held):
            return
        file = self._read(day)
        names = {number: line for line, number in file.ids.items()}
        for line in [line for line in self.held if line.right != "EQ"]:
            number = self._before.ids[line]
            now = names.get(number, line)
            if now == line or now.right != line.right:
                continue
            self._rename(line, now)
        for line in [line for line in self.held if line.kind == "future"]:
            paid = self._dividend(line.symbol, names, file)
            self.dividends[line.symbol, day] += self.held[line] * paid
            self._carried[line] = self._carried.get(line, 0) - self.held[line] * paid
        for line in [line for line in self.held if line.right != "EQ"]:
            new, old = self._split(line.symbol, names, file)
            self.held[line] = self.held[line] * new // old

    def _rename(self, line: Line, now: Line) -> None:
        self.held[now] += self.held.pop(line)
        if line in self._carried:
            self._carried[now] = self._carried.pop(line)

    def _split(self, symbol: str, names: dict[str, Line], file: DayFile) -> tuple[int, int]:
        """Units for units, where strikes and lots of the symbol's options changed overnight."""
        before = self._before
        if before is None:
            return 1, 1
        for line, number in before.ids.items():
            now = names.get(number)
            if line.symbol == symbol and line.strike and now and now.symbol == symbol:
                if now.strike == line.strike or file.lots[now] == before.lots[line]:
                    return 1, 1
                return file.lots[now], before.lots[line]
        return 1, 1

    def _dividend(self, symbol: str, names: dict[str, Line], file: DayFile) -> int:
        """Paise by which every strike of the symbol was lowered overnight, its lots unchanged."""
        before = self._before
        fell: Counter[int] = Counter()
        for line, number in before.ids.items() if before else ():
            now = names.get(number)
            if before and line.symbol == symbol and line.kind == "option" and now:
                if (now.symbol, now.expiry, now.right) != (symbol, line.expiry, line.right):
                    continue
                same = file.lots[now] == before.lots[line]
                fell[line.strike - now.strike if same else 0] += 1
        amount, often = fell.most_common(1)[0] if fell else (0, 0)
        return max(0, amount) if often > 0.9 * sum(fell.values()) else 0

    def trade(self, line: Line, units: int, price: int, day: date) -> None:
        """One order that traded at once at one price; units positive when bought."""
        self._charge(charged(line, units, price, day))
        if line.kind == "share" and units < 0:
            self._left.add(line.symbol)
        if line.kind == "future":
            self._today[line].append((units, price))
        else:
            self.cash -= units * price
        self.held[line] += units

    def _charge(self, amount: int) -> None:
        self.cash -= amount
        self.charges += amount

    def end_of(self, day: date) -> None:
        """Settle the futures of a day, then what ends on it, and charge the shares that left."""
        file = self._before = self._read(day)
        for line in [line for line in self.held if line.kind == "future"]:
            final = line in file.ends
            price = file.level[line.symbol] if final else file.settle[line]
            fresh = self._today.pop(line, [])
            carried = self.held[line] - sum(units for units, _ in fresh)
            self.cash += carried * price - self._carried.get(line, 0)
            self.cash += sum(units * (price - paid) for units, paid in fresh)
            self._carried[line] = self.held[line] * price
        ended = [line for line, units in self.held.items() if units and line in file.ends]
        for name in {(line.symbol, line.expiry) for line in ended}:
            self._settle([line for line in ended if (line.symbol, line.expiry) == name], file)
        self.held = Counter({line: units for line, units in self.held.items() if units})
        self._charge(DEPOSITORY * len(self._left))
        self._left.clear()

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
        if shares < 0:
            self._left.add(share.symbol)
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
