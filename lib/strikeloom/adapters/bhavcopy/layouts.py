"""Known file layouts, recognised by their header."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strikeloom.adapters.bhavcopy import cash, contracts, indices
from strikeloom.adapters.bhavcopy.csv_text import CsvText
from strikeloom.adapters.bhavcopy.parsed import ParsedRows
from strikeloom.errors import BadFile

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file.

    Attributes
    ----------
    title : str
        For reports.
    dataset : str
        Dataset that its rows belong to.
    columns : tuple of str
        Columns that its header must have, in any order; others may be present.
    read : callable
        From the text to rows in the dataset's format on disk.
    named : bool
        Whether the file names its index; if not, column ``index`` is empty.
    """

    title: str
    dataset: str
    columns: Sequence[str]
    read: Callable[[CsvText], ParsedRows]
    named: bool = True


#: In the order in which a batch is imported: index histories without a name are
#: identified by the levels in contracts and in named index files.
LAYOUTS = (
    Layout("F&O bhavcopy, UDiFF", "contracts", contracts.UDIFF_COLUMNS, contracts.udiff),
    Layout("F&O bhavcopy, old layout", "contracts", contracts.LEGACY_COLUMNS, contracts.legacy),
    Layout(
        "F&O bhavcopy, layout of 2005", "contracts", contracts.LEGACY_2005_COLUMNS, contracts.legacy
    ),
    Layout("cash bhavcopy", "cash", cash.COLUMNS, cash.cash),
    Layout("closes of all indices", "indices", indices.CLOSES_COLUMNS, indices.index_closes),
    Layout("India VIX history", "indices", indices.VIX_COLUMNS, indices.volatility_index),
    Layout("index history", "indices", indices.SERIES_COLUMNS, indices.index_series, named=False),
)


def recognise(text: CsvText) -> Layout:
    """Layout of a CSV text.

    Raises
    ------
    BadFile
        When line 1 is not a known header; shows it and the nearest layout.
    """
    names = set(text.header)
    folded = {name.lower() for name in names}
    for layout in LAYOUTS:
        if names.issuperset(layout.columns) or (
            not layout.named and folded.issuperset(layout.columns)
        ):
            return layout
    raise BadFile(f"{text.name}: line 1 is {_first_line(text)}; {_nearest(names)}", line=1)


def _first_line(text: CsvText) -> str:
    start = text.body[:_SHOWN].decode("utf-8", errors="replace").split("\n", 1)[0].strip()
    page = "a web page (saved instead of the file): " if start.startswith("<") else ""
    return f"{page}{start!r}"


def _nearest(names: set[str]) -> str:
    nearest = max(LAYOUTS, key=lambda item: len(names & set(item.columns)) / len(item.columns))
    absent = [name for name in nearest.columns if name not in names]
    if len(absent) <= len(nearest.columns) / 2:
        return f"it is nearest to the {nearest.title}, which also has {', '.join(absent)}"
    return f"expected the header of: {'; '.join(item.title for item in LAYOUTS)}"
