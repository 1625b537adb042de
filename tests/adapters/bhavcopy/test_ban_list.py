"""The exchange's list of securities in the ban period: its forms, and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.bhavcopy.ban_list import parse_ban_list
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.errors import BadFile, MissingHistory, StoreError
from support.nse_files import save, udiff

HEAD = "Securities in Ban For Trade Date "
DAY = date(2026, 7, 9)


# first lines as the exchange published them in 2019, 2024 and 2026
@pytest.mark.parametrize(
    ("text", "day", "symbols"),
    [
        (f"{HEAD}15-JUL-2019: \n1,DHFL\n2,IDBI\n", date(2019, 7, 15), ("DHFL", "IDBI")),
        (f"{HEAD}09-JUL-2026:\r\n1,GNFC\r\n2,M&M\r\n3,BAJAJ-AUTO\r\n", DAY,
         ("GNFC", "M&M", "BAJAJ-AUTO")),
        (f"{HEAD}28-JUL-2026: NIL\n", date(2026, 7, 28), ()),
        (f"{HEAD}28-JUL-2026:\n", date(2026, 7, 28), ()),
    ],
)  # fmt: skip
def test_the_forms_of_the_list(text, day, symbols):
    assert parse_ban_list(text.encode(), "fo_secban.csv") == (day, symbols)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{HEAD}soon:\n1,SAIL\n", 1),
        ("Securities in Ban\n1,SAIL\n", 1),
        (f"{HEAD}09-JUL-2026:\n1,SAIL\n2\n", 3),
        (f"{HEAD}09-JUL-2026:\n1,SA IL\n", 2),
        ("", 1),
    ],
)
def test_a_list_that_cannot_be_read_names_its_line(text, line):
    with pytest.raises(BadFile, match=f"line {line} "):
        parse_ban_list(text.encode(), "fo_secban.csv")


def test_a_list_is_known_by_its_content_and_stored_by_its_date(
    history: ParquetHistory, tmp_path: Path
) -> None:
    path = tmp_path / "any name.txt"
    path.write_text(f"{HEAD}09-JUL-2026:\n1,SAIL\n2,KAYNES\n")
    day = save(tmp_path / "day.csv", udiff({}))
    report = import_paths([path, day], history)
    assert report.counts == {"done": 2, "same": 0, "refused": 0}
    assert history.banned(DAY) == {"SAIL", "KAYNES"}
    assert history.banned(date(2026, 7, 10)) is None  # unknown is not empty
    assert import_paths([path], history).counts == {"done": 0, "same": 1, "refused": 0}
    path.write_text(f"{HEAD}09-JUL-2026: NIL\n")  # a later list of the day replaces it
    assert import_paths([path], history).counts["done"] == 1
    assert history.banned(DAY) == frozenset()
    assert history.as_of(DAY).banned(DAY) == frozenset()
    assert history.as_of(date(2026, 7, 8)).banned(DAY) == frozenset()  # out the evening before
    with pytest.raises(MissingHistory):
        history.as_of(date(2026, 7, 7)).banned(DAY)


def test_a_damaged_list_is_named_and_can_be_stored_again(history: ParquetHistory) -> None:
    history.store_ban_list(DAY, ["SAIL"], source="test")
    (stored,) = history.folder.rglob("2026-07-09.json")
    stored.write_text("{")
    with pytest.raises(StoreError, match="2026-07-09"):
        history.banned(DAY)
    assert history.store_ban_list(DAY, ["SAIL"], source="test")
    assert history.banned(DAY) == {"SAIL"}


def test_a_synthetic_market_has_no_ban_period(tmp_path: Path) -> None:
    assert ParquetHistory(tmp_path, "synthetic-1").banned(DAY) == frozenset()
