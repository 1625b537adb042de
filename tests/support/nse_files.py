"""Small files in the exchange's layouts, written by hand for tests."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from zlib import crc32

UDIFF_HEADER = (
    "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,"
    "FininstrmActlXpryDt,StrkPric,OptnTp,FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,LastPric,"
    "PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,ChngInOpnIntrst,TtlTradgVol,TtlTrfVal,"
    "TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,Rsvd3,Rsvd4"
)
LEGACY_HEADER = (
    "INSTRUMENT,SYMBOL,EXPIRY_DT,STRIKE_PR,OPTION_TYP,OPEN,HIGH,LOW,CLOSE,SETTLE_PR,CONTRACTS,"
    "VAL_INLAKH,OPEN_INT,CHG_IN_OI,TIMESTAMP,"
)
CASH_HEADER = (
    "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, "
    "CLOSE_PRICE, AVG_PRICE, TTL_TRD_QNTY, TURNOVER_LACS, NO_OF_TRADES, DELIV_QTY, DELIV_PER"
)
CLOSES_HEADER = (
    "Index Name,Index Date,Open Index Value,High Index Value,Low Index Value,"
    "Closing Index Value,Points Change,Change(%),Volume,Turnover (Rs. Cr.),P/E,P/B,Div Yield"
)
VIX_HEADER = "Date ,Open ,High ,Low ,Close ,Prev. Close ,Change ,% Change "

_PRICES = ("OpnPric", "HghPric", "LwPric", "ClsPric", "SttlmPric")
_CONTRACT = ("TckrSymb", "XpryDt", "StrkPric", "OptnTp")
#: A traded call of 2026-02-10 in the terms of the UDiFF layout.
CALL = {
    "TradDt": "2026-02-10",
    "BizDt": "2026-02-10",
    "Sgmt": "FO",
    "Src": "NSE",
    "FinInstrmTp": "IDO",
    "FinInstrmId": "40001",
    "TckrSymb": "NIFTY",
    "XpryDt": "2026-02-24",
    "FininstrmActlXpryDt": "2026-02-24",
    "StrkPric": "25900.00",
    "OptnTp": "CE",
    "FinInstrmNm": "NIFTY26FEB25900CE",
    "OpnPric": "210.00",
    "HghPric": "255.50",
    "LwPric": "180.05",
    "ClsPric": "231.40",
    "LastPric": "230.00",
    "PrvsClsgPric": "199.95",
    "UndrlygPric": "25935.15",
    "SttlmPric": "231.45",
    "OpnIntrst": "650000",
    "ChngInOpnIntrst": "-1300",
    "TtlTradgVol": "4100",
    "TtlNbOfTxsExctd": "900",
    "SsnId": "F1",
    "NewBrdLotQty": "65",
}
FUTURE = {"FinInstrmTp": "IDF", "StrkPric": "", "OptnTp": "", "FinInstrmId": "40999"}
UNTRADED = {
    "OpnPric": "0.00",
    "HghPric": "0.00",
    "LwPric": "0.00",
    "TtlTradgVol": "0",
    "LastPric": "0.00",
}


def _filled(changes: Mapping[str, str] | None, levels: Mapping[str, str]) -> dict[str, str]:
    """The call above with some fields changed, and those that follow from them.

    Another contract has another id, another symbol a level among its strikes, a future prices at
    that level, and a contract on its last day settles at it.
    """
    given = changes or {}
    fields = {**CALL, "UndrlygPric": levels.get(given.get("TckrSymb", ""), CALL["UndrlygPric"])}
    fields |= given
    level = fields["UndrlygPric"]
    if "FinInstrmId" not in given and any(fields[k] != CALL[k] for k in _CONTRACT):
        number = crc32(repr([fields[k] for k in _CONTRACT]).encode()) % 900_000
        fields["FinInstrmId"] = str(100_000 + number)
    if fields["FinInstrmTp"] in ("IDF", "STF"):
        fields |= {k: level for k in _PRICES if k not in given}
    elif fields["TtlTradgVol"] == "0" and "ClsPric" not in given:
        fields["ClsPric"] = fields["PrvsClsgPric"]
    if "SttlmPric" not in given and fields["FininstrmActlXpryDt"] <= fields["TradDt"]:
        fields["SttlmPric"] = level
    return {"TtlTrfVal": _turnover(fields), **fields}


def _turnover(fields: Mapping[str, str]) -> str:
    """Strike and the middle of the day's range of each unit traded."""
    try:
        numbers = {
            name: float(fields[name] or 0)
            for name in ("TtlTradgVol", "NewBrdLotQty", "StrkPric", "HghPric", "LwPric")
        }
    except ValueError:  # a test of a field that is no number
        return "1.00"
    each = numbers["StrkPric"] + (numbers["HghPric"] + numbers["LwPric"]) / 2
    return f"{numbers['TtlTradgVol'] * numbers['NewBrdLotQty'] * each:.2f}"


def _levels(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Middle strike of each symbol but the call's."""
    strikes: dict[str, list[float]] = {}
    for row in rows:
        if row.get("TckrSymb", "NIFTY") != "NIFTY" and row.get("StrkPric"):
            strikes.setdefault(row["TckrSymb"], []).append(float(row["StrkPric"]))
    return {name: f"{sorted(found)[len(found) // 2]:.2f}" for name, found in strikes.items()}


def udiff_line(
    changes: Mapping[str, str] | None = None, levels: Mapping[str, str] | None = None
) -> str:
    """One UDiFF line: the call above with some fields changed."""
    fields = _filled(changes, levels or {})
    return ",".join(fields.get(name, "") for name in UDIFF_HEADER.split(","))


def udiff(*rows: Mapping[str, str]) -> bytes:
    """A UDiFF file."""
    return _lines(UDIFF_HEADER, [udiff_line(row, _levels(rows)) for row in rows])


def legacy_line(
    changes: Mapping[str, str] | None = None, levels: Mapping[str, str] | None = None
) -> str:
    """The same contract as ``udiff_line`` in the old layout."""
    row = _filled(changes, levels or {})
    instruments = {"IDO": "OPTIDX", "STO": "OPTSTK", "IDF": "FUTIDX", "STF": "FUTSTK"}
    return ",".join(
        (
            instruments[row["FinInstrmTp"]],
            row["TckrSymb"],
            legacy_day(row["XpryDt"]),
            row["StrkPric"] or "0",
            row["OptnTp"] or "XX",
            *(row[name] for name in ("OpnPric", "HghPric", "LwPric", "ClsPric", "SttlmPric")),
            row["TtlTradgVol"],
            "12.34",
            row["OpnIntrst"],
            row["ChngInOpnIntrst"],
            legacy_day(row["TradDt"]).upper(),
            "",
        )
    )


def legacy(*rows: Mapping[str, str]) -> bytes:
    """A file in the old layout."""
    return _lines(LEGACY_HEADER, [legacy_line(row, _levels(rows)) for row in rows])


def legacy_day(day: str) -> str:
    """2026-02-24 -> 24-Feb-2026."""
    return f"{date.fromisoformat(day):%d-%b-%Y}"


def cash(*rows: str) -> bytes:
    """A cash file; each row is ``SYMBOL SERIES DATE PREV OPEN HIGH LOW CLOSE VOLUME``."""
    lines = []
    for row in rows:
        symbol, series, day, previous, opens, high, low, close, volume = row.split()
        fields = (symbol, series, day, previous, opens, high, low, close, close, close, volume)
        lines.append(", ".join((*fields, "1.0", "2", "-", "-")))
    return _lines(CASH_HEADER, lines)


def closes(day: str, levels: Mapping[str, Sequence[str]]) -> bytes:
    """An ``ind_close_all`` file: name to open, high, low, close."""
    rows = [f"{name},{day},{','.join(four)},1,.1,-,-,-,-,-" for name, four in levels.items()]
    return _lines(CLOSES_HEADER, rows)


def series(rows: Mapping[str, Sequence[object]], header: str = "date,open,high,low,close") -> bytes:
    """A nameless index history: day to open, high, low, close."""
    return _lines(header, [f"{day},{','.join(map(str, four))}" for day, four in rows.items()])


def save(path: Path, body: bytes) -> Path:
    """Write a file, compressed according to its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(body, mtime=0))
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(path.stem, body)
    else:
        path.write_bytes(body)
    return path


def _lines(header: str, rows: Sequence[str]) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()
