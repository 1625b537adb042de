"""Layouts known, told apart by their header."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from strikeloom.errors import BadFile


class Kind(IntEnum):
    """What a file holds, in the order in which a batch is imported.

    UDiFF before the old layout, because it knows more; nameless index histories last, because
    they are recognised by levels that the others bring.
    """

    UDIFF = 1
    LEGACY = 2
    CASH = 3
    INDEX_CLOSES = 4
    VIX = 5
    INDEX_HISTORY = 6


@dataclass(frozen=True, slots=True)
class Layout:
    """A kind and the columns that must be in its header (names stripped)."""

    kind: Kind
    title: str
    columns: tuple[str, ...]


LAYOUTS = (
    Layout(
        Kind.UDIFF,
        "F&O bhavcopy (UDiFF)",
        (
            "TradDt",
            "Sgmt",
            "FinInstrmTp",
            "FinInstrmId",
            "TckrSymb",
            "XpryDt",
            "StrkPric",
            "OptnTp",
            "OpnPric",
            "HghPric",
            "LwPric",
            "ClsPric",
            "PrvsClsgPric",
            "UndrlygPric",
            "SttlmPric",
            "OpnIntrst",
            "ChngInOpnIntrst",
            "TtlTradgVol",
            "NewBrdLotQty",
        ),
    ),
    Layout(
        Kind.LEGACY,
        "F&O bhavcopy (old layout)",
        (
            "INSTRUMENT",
            "SYMBOL",
            "EXPIRY_DT",
            "STRIKE_PR",
            "OPTION_TYP",
            "OPEN",
            "HIGH",
            "LOW",
            "CLOSE",
            "SETTLE_PR",
            "CONTRACTS",
            "OPEN_INT",
            "CHG_IN_OI",
            "TIMESTAMP",
        ),
    ),
    Layout(
        Kind.CASH,
        "cash bhavcopy",
        (
            "SYMBOL",
            "SERIES",
            "DATE1",
            "PREV_CLOSE",
            "OPEN_PRICE",
            "HIGH_PRICE",
            "LOW_PRICE",
            "CLOSE_PRICE",
            "TTL_TRD_QNTY",
        ),
    ),
    Layout(
        Kind.INDEX_CLOSES,
        "closes of all indices",
        (
            "Index Name",
            "Index Date",
            "Open Index Value",
            "High Index Value",
            "Low Index Value",
            "Closing Index Value",
        ),
    ),
    Layout(Kind.VIX, "India VIX history", ("Date", "Open", "High", "Low", "Close", "Prev. Close")),
    Layout(Kind.INDEX_HISTORY, "index history", ("date", "open", "high", "low", "close")),
)


def recognise(body: bytes, name: str) -> tuple[Layout, list[str]]:
    """Layout of a table, and the header's names as they stand.

    Raises
    ------
    BadFile
        When the first line is no header that is known; shows it and what is.
    """
    line = body[:8192].split(b"\n", 1)[0].rstrip(b"\r")
    header = line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace").split(",")
    stripped = {column.strip().strip('"') for column in header}
    for layout in LAYOUTS:
        if stripped.issuperset(layout.columns):
            return layout, header
    shown = line[:80].decode("utf-8", errors="replace")
    nearest = max(LAYOUTS, key=lambda item: len(stripped & set(item.columns)))
    missing = [column for column in nearest.columns if column not in stripped]
    hint = (
        f"nearest is the {nearest.title}, which also needs {', '.join(missing[:4])}"
        if len(missing) < len(nearest.columns)
        else "expected the header of " + ", ".join(item.title for item in LAYOUTS)
    )
    raise BadFile(f"{name}: line 1 is no known header: {shown!r}; {hint}", line=1)
