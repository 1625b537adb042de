"""Batches: what goes in, what is refused with which words, and what stays when one fails."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.adapters.bhavcopy import ImportReport, import_paths
from strikeloom.adapters.bhavcopy.packed import PackedFile
from strikeloom.adapters.parquet import partitions
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.errors import BadFile, DataError, StoreError
from support.nse_files import (
    CALL,
    UDIFF_HEADER,
    UNTRADED,
    cash,
    closes,
    legacy,
    save,
    series,
    udiff,
)

DAY = Path("contracts/2026-02-10.parquet")


def content(history: ParquetHistory) -> dict[str, bytes]:
    """Every partition of a history, byte by byte."""
    return {
        path.relative_to(history.folder).as_posix(): path.read_bytes()
        for path in sorted(history.folder.rglob("*.parquet"))
    }


def only(report: ImportReport) -> tuple[str, str]:
    (outcome,) = report.files
    return outcome.status, outcome.message


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".csv.zip", ".dat"])
def test_plain_gzip_and_zip_under_any_name(
    history: ParquetHistory, tmp_path: Path, suffix: str
) -> None:
    path = save(tmp_path / f"cm03Mar2025bhav{suffix}", udiff({}, {"OptnTp": "PE"}))
    report = import_paths([path], history)
    assert report.counts == {"done": 1, "same": 0, "refused": 0}
    assert (report.files[0].kind, report.files[0].rows) == ("F&O bhavcopy, UDiFF", 2)
    assert len(history.contracts(history.days()[0])) == 2


def test_importing_twice_changes_nothing(history: ParquetHistory, tmp_path: Path) -> None:
    save(tmp_path / "in/a.csv", udiff({}))
    save(tmp_path / "in/deep/b.csv.gz", cash("SBIN EQ 10-Feb-2026 1 1 1 1 1 1"))
    import_paths([tmp_path / "in"], history)
    before = {p: p.stat().st_mtime_ns for p in history.folder.rglob("*.parquet")}
    again = import_paths([tmp_path / "in"], history)
    assert again.counts == {"done": 0, "same": 2, "refused": 0}
    assert before == {p: p.stat().st_mtime_ns for p in history.folder.rglob("*.parquet")}


def test_the_same_rows_from_another_file_go_in_once(
    history: ParquetHistory, tmp_path: Path
) -> None:
    save(tmp_path / "a.csv", udiff({}, {"OptnTp": "PE"}))
    save(tmp_path / "b.csv", udiff({}))
    import_paths([tmp_path / "a.csv"], history)
    report = import_paths([tmp_path / "b.csv"], history)
    assert (report.counts["same"], report.new_rows) == (1, 0)
    names = history.sources("contracts", "2026-02-10")[""]
    assert [name.split("/")[-1] for name in names] == ["a.csv", "b.csv"]


def test_a_file_whose_day_was_deleted_goes_in_again(
    history: ParquetHistory, tmp_path: Path
) -> None:
    path = save(tmp_path / "a.csv", udiff({}))
    import_paths([path], history)
    (history.folder / DAY).unlink()
    assert import_paths([path], history).counts["done"] == 1


def test_a_contradiction_names_both_files_the_row_and_the_values(
    history: ParquetHistory, tmp_path: Path
) -> None:
    save(tmp_path / "in/a.csv", udiff({}, {"OptnTp": "PE"}))
    save(tmp_path / "in/b.csv", udiff({"ClsPric": "231.45", "SttlmPric": "231.50"}))
    save(tmp_path / "in/c.csv", udiff({"TradDt": "2026-02-11"}))
    report = import_paths([tmp_path / "in"], history)
    assert report.counts == {"done": 2, "same": 0, "refused": 1}
    (refused,) = report.refused
    assert refused.path.endswith("in/b.csv")
    assert refused.message.startswith(
        "in/b.csv contradicts in/a.csv: 2026-02-10 NIFTY 2026-02-24 25900.00 CE has "
        "close 231.45 against 231.40, settle 231.50 against 231.45 (1 such rows)."
    )
    assert "delete contracts/2026-02-10.parquet" in refused.message
    assert [str(day) for day in history.days()] == ["2026-02-10", "2026-02-11"]


def test_a_contradiction_late_in_a_file_leaves_none_of_its_days(
    history: ParquetHistory, tmp_path: Path
) -> None:
    first = save(tmp_path / "a.csv", cash("SBIN EQ 27-Feb-2026 1 1 1 1 1 1"))
    import_paths([first], history)
    before = content(history)
    stacked = cash(
        "SBIN EQ 30-Jan-2026 1 1 1 1 1 1",
        "SBIN EQ 27-Feb-2026 1 1 1 1 1 2",
        "SBIN EQ 27-Mar-2026 1 1 1 1 1 1",
    )
    status, message = only(import_paths([save(tmp_path / "b.csv", stacked)], history))
    assert status == "refused"
    assert "2026-02-27 SBIN has volume 2 against 1" in message
    assert content(history) == before


def test_untraded_and_traded_contradict(history: ParquetHistory, tmp_path: Path) -> None:
    save(tmp_path / "a.csv", udiff({}))
    save(tmp_path / "b.csv", legacy(UNTRADED))
    report = import_paths([tmp_path / "a.csv", tmp_path / "b.csv"], history)
    assert "open none against 210.00" in report.refused[0].message


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old")])
def test_a_udiff_file_completes_an_old_one_and_loses_nothing(
    history: ParquetHistory, tmp_path: Path, order: tuple[str, str]
) -> None:
    put = {"OptnTp": "PE", "FinInstrmId": "40002"}
    files = {
        "old": save(tmp_path / "old.csv", legacy({}, put)),
        "new": save(tmp_path / "new.csv", udiff({})),
    }
    reports = [import_paths([files[name]], history) for name in order]
    assert [report.new_rows for report in reports] == ([2, 1] if order[0] == "old" else [1, 1])
    frame = history.contracts(history.days()[0]).set_index("right")
    assert frame.loc["CE", ["lot_size", "underlying", "instrument_id"]].tolist() == [
        65,
        25935.15,
        40001,
    ]
    assert frame.loc["PE", "lot_size"] == 0


def test_rows_repeated_within_a_file(history: ParquetHistory, tmp_path: Path) -> None:
    twice = save(tmp_path / "a.csv", udiff({}, {}, {"OptnTp": "PE"}))
    assert only(import_paths([twice], history)) == ("done", "1 rows repeated in it")
    assert len(history.contracts(history.days()[0])) == 2
    torn = save(tmp_path / "b.csv", udiff({}, {"OpnIntrst": "1"}))
    status, message = only(import_paths([torn], history))
    assert status == "refused"
    assert "contradicts itself" in message
    assert "open_interest" in message


GOOD = udiff({}, {"OptnTp": "PE"})
BAD = {
    "cut.csv": (GOOD[:-60], "line 3: 21 fields, expected 34; the file is cut off"),
    "headerless.csv": (GOOD.split(b"\n", 1)[1], "line 1 is '2026-02-10,2026-02-10,FO"),
    "page.csv": (b"<!DOCTYPE html>\n<html>", "line 1 is a web page"),
    "empty.csv": (b"", "line 1 is missing, the file is empty"),
    "bare.csv": (f"{UDIFF_HEADER}\n".encode(), "line 2 is missing, expected rows"),
    "endless.csv": (UDIFF_HEADER.encode(), "line 2 is missing, expected rows"),
    "other.csv": (b"SEM_EXM_EXCH_ID,SEM_SEGMENT\nNSE,D\n", "expected the header of: F&O"),
    "short.csv": (
        GOOD.replace(b"SttlmPric", b"Sttlm"),
        "nearest to the F&O bhavcopy, UDiFF, which also has SttlmPric",
    ),
    "image.csv": (b"\x89PNG\r\n\x1a\n\x00\x00", "line 1 is '"),
    "latin.csv": (GOOD.replace(b"NIFTY,", b"NIFT\xdc,"), "not UTF-8, expected plain text"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_and_the_others_go_in(
    history: ParquetHistory, tmp_path: Path, name: str
) -> None:
    body, expected = BAD[name]
    save(tmp_path / "in" / name, body)
    save(tmp_path / "in/a.csv", udiff({}))
    save(tmp_path / "in/z.csv", udiff({"TradDt": "2026-02-11"}))
    report = import_paths([tmp_path / "in"], history)
    assert report.counts == {"done": 2, "same": 0, "refused": 1}
    assert report.refused[0].message.startswith(f"in/{name}: ")
    assert expected in report.refused[0].message
    assert len(history.days()) == 2
    assert not list(history.folder.rglob("*.part"))


def test_a_binary_file_of_another_kind_is_refused(history: ParquetHistory, tmp_path: Path) -> None:
    path = save(tmp_path / "a.tar.xz", b"\xfd7zXZ\x00\r\x1a\xe0\r\xff\n" + bytes(40))
    status, message = only(import_paths([path], history))
    assert (status, "it holds an xz archive" in message) == ("refused", True)


def test_a_line_without_end_is_no_table(history: ParquetHistory, tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", GOOD + b"x" * 3_000_000)
    status, message = only(import_paths([path], history))
    assert (status, "is not a CSV table" in message) == ("refused", True)


def test_marks_quotes_and_line_ends_of_other_systems(
    history: ParquetHistory, tmp_path: Path
) -> None:
    quoted = GOOD.replace(b"NIFTY,", b'"NIFTY",').replace(b"TradDt,", b'"TradDt ",')
    save(tmp_path / "in/a.csv", GOOD)
    save(tmp_path / "in/b.csv", b"\xef\xbb\xbf" + quoted.replace(b"\n", b"\r\n"))
    report = import_paths([tmp_path / "in"], history)
    assert report.counts == {"done": 1, "same": 1, "refused": 0}


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.zip"])
@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_cut_archive_is_refused(
    history: ParquetHistory, tmp_path: Path, suffix: str, cut: int
) -> None:
    path = save(tmp_path / f"a{suffix}", GOOD)
    path.write_bytes(path.read_bytes()[:-cut])
    status, message = only(import_paths([path], history))
    assert status == "refused"
    assert "damaged" in message
    assert history.days() == []


def test_a_flipped_bit_in_an_archive_is_refused(history: ParquetHistory, tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv.zip", GOOD)
    body = bytearray(path.read_bytes())
    body[120] ^= 0x10
    path.write_bytes(bytes(body))
    assert only(import_paths([path], history))[0] == "refused"


@pytest.mark.parametrize("place", [16, 24])
def test_an_archive_that_states_another_checksum_or_a_smaller_size_is_refused(
    history: ParquetHistory, tmp_path: Path, place: int
) -> None:
    path = save(tmp_path / "a.csv.zip", GOOD)
    body = bytearray(path.read_bytes())
    body[body.rfind(b"PK\x01\x02") + place] -= 1  # of the archive's directory
    path.write_bytes(bytes(body))
    status, message = only(import_paths([path], history))
    assert status == "refused"
    assert "Bad CRC-32" in message
    assert history.days() == []


@pytest.mark.parametrize("bits", [0x01, 0x80, 0xFF])
def test_any_damage_to_the_directory_of_an_archive_is_a_refusal_or_harmless(
    tmp_path: Path, bits: int
) -> None:
    path = save(tmp_path / "a.csv.zip", GOOD)
    sound = path.read_bytes()
    refused = 0
    for place in range(sound.rfind(b"PK\x01\x02"), len(sound)):
        raw = bytearray(sound)
        raw[place] ^= bits
        packed = PackedFile(path, path.name, bytes(raw))
        try:
            assert packed.head() + packed.body() == GOOD * 2
        except BadFile:
            refused += 1
    assert refused > 30


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
def test_other_packings_of_zip_are_read(
    history: ParquetHistory, tmp_path: Path, packing: int
) -> None:
    path = tmp_path / "a.csv.zip"
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/a.csv", GOOD)
    assert only(import_paths([path], history))[0] == "done"


def test_hostile_archives(
    history: ParquetHistory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strikeloom.adapters.bhavcopy.packed.MOST_BYTES", 100_000)
    bomb = f"{UDIFF_HEADER}\n".encode() + b"\n" * 200_000
    for path in (save(tmp_path / "bomb.zip", bomb), save(tmp_path / "bomb.gz", bomb)):
        assert path.stat().st_size < 2000
        status, message = only(import_paths([path], history))
        assert status == "refused"
        assert "split it" in message
    many = tmp_path / "many.zip"
    with zipfile.ZipFile(many, "w") as archive:
        archive.writestr("a.csv", GOOD)
        archive.writestr("../../b.csv", GOOD)
    assert "holds 2 files, expected one" in only(import_paths([many], history))[1]


def test_what_is_no_file(history: ParquetHistory, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    report = import_paths([tmp_path / "empty", tmp_path / "gone.csv", tmp_path / "pipe"], history)
    messages = [item.message for item in report.refused]
    assert ["folder without files" in messages[0], "no such file" in messages[1]] == [True, True]
    assert "not a regular file" in messages[2]


def test_hidden_files_are_left_alone(history: ParquetHistory, tmp_path: Path) -> None:
    save(tmp_path / "in/a.csv", GOOD)
    save(tmp_path / "in/.DS_Store", b"x")
    save(tmp_path / "in/.git/config", b"x")
    assert import_paths([tmp_path / "in"], history).counts["refused"] == 0


@pytest.mark.parametrize("moment", ["write", "replace"])
def test_nothing_half_written_stays(
    history: ParquetHistory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    path = save(tmp_path / "a.csv", cash(*(f"S EQ 20-0{m}-2026 1 1 1 1 1 1" for m in (1, 2, 3))))
    fails = OSError(28, "No space left on device")
    count = itertools.count()

    def full(*args: object, **more: object) -> None:
        if next(count) or moment == "replace":
            raise fails

    with monkeypatch.context() as patch:
        if moment == "write":
            patch.setattr(partitions, "_write", full)
        else:
            patch.setattr(Path, "replace", full)
        with pytest.raises(StoreError, match="No space left"):
            import_paths([path], history)
    assert content(history) == {}
    assert not list(history.folder.rglob("*.part"))
    assert import_paths([path], history).counts["done"] == 1


def test_killed_between_writing_and_replacing(history: ParquetHistory, tmp_path: Path) -> None:
    save(tmp_path / "in/a.csv", udiff({}))
    save(tmp_path / "in/b.csv", udiff({"TradDt": "2026-02-11"}))
    script = f"""
import os, signal
from pathlib import Path
from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
place = Path.replace
def killed(self, target):
    if "2026-02-11" in str(target):
        os.kill(os.getpid(), signal.SIGKILL)
    return place(self, target)
Path.replace = killed
import_paths([Path({str(tmp_path / "in")!r})], ParquetHistory(Path({str(history.folder)!r}), "nse"))
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert [str(day) for day in history.days()] == ["2026-02-10"]
    assert list(history.folder.rglob("*.part"))
    report = import_paths([tmp_path / "in"], history)
    assert report.counts == {"done": 1, "same": 1, "refused": 0}
    assert len(history.days()) == 2
    assert not list(history.folder.rglob("*.part"))


def test_a_torn_record_of_files_is_read_again(history: ParquetHistory, tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", udiff({}))
    import_paths([path], history)
    record = history.folder / "imports.jsonl"
    record.write_bytes(record.read_bytes()[:-30])
    other = save(tmp_path / "b.csv", udiff({"TradDt": "2026-02-11"}))
    counts = [import_paths([path, other], history).counts for _ in range(2)]
    assert counts == [{"done": 1, "same": 1, "refused": 0}, {"done": 0, "same": 2, "refused": 0}]


def test_a_damaged_day_is_named_and_stops_no_other(history: ParquetHistory, tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", udiff({}))
    import_paths([path], history)
    (history.folder / DAY).write_bytes(b"PAR1 nonsense")
    other = save(tmp_path / "b.csv", udiff({"TradDt": "2026-02-11"}))
    report = import_paths([path, other], history)
    assert report.counts == {"done": 1, "same": 0, "refused": 1}
    assert "contracts/2026-02-10.parquet of the history is damaged" in report.refused[0].message


def test_progress_counts_every_file(history: ParquetHistory, tmp_path: Path) -> None:
    save(tmp_path / "in/a.csv", udiff({}))
    save(tmp_path / "in/b.csv", b"nonsense")
    seen: list[tuple[int, int, str]] = []
    import_paths([tmp_path / "in"], history, progress=lambda *step: seen.append(step))
    assert seen == [(1, 2, "b.csv"), (2, 2, "a.csv")]


DAYS = ["2026-02-02", "2026-02-03", "2026-02-04", "2026-02-05", "2026-02-06", "2026-02-09"]
LEVELS = [25_100.5, 25_240.25, 25_180.0, 25_300.1, 25_420.75, 25_390.05]


def level_days(path: Path, name: str = "Nifty 50") -> None:
    for day, level in zip(DAYS, LEVELS, strict=True):
        text = "-".join(reversed(day.split("-")))
        save(path / f"ind_{day}.csv", closes(text, {name: ("-", "-", "-", str(level))}))


def history_file(path: Path, scale: float = 1.0) -> Path:
    rows = {
        day: (level * scale, level * scale + 9, level * scale - 9, level * scale)
        for day, level in zip(DAYS, LEVELS, strict=True)
    }
    return save(path, series(rows))


def test_a_nameless_history_is_named_by_its_levels(history: ParquetHistory, tmp_path: Path) -> None:
    level_days(tmp_path / "in")
    history_file(tmp_path / "in/aaa.csv", scale=1.0005)
    report = import_paths([tmp_path / "in"], history)
    assert report.counts["refused"] == 0
    stored = history.indices(*(history.stored_days("indices")[i] for i in (0, -1)))
    other = stored[stored["publisher"] == "other"]
    assert set(other["index"]) == {"NIFTY"}
    assert len(other) == 6


def test_contracts_name_a_history_too(history: ParquetHistory, tmp_path: Path) -> None:
    for day, level in zip(DAYS, LEVELS, strict=True):
        save(tmp_path / f"in/{day}.csv", udiff({"TradDt": day, "UndrlygPric": str(level)}))
    history_file(tmp_path / "in/aaa.csv")
    assert import_paths([tmp_path / "in"], history).counts["refused"] == 0


def test_an_unknown_history_is_refused_with_the_remedy(
    history: ParquetHistory, tmp_path: Path
) -> None:
    level_days(tmp_path / "levels")
    import_paths([tmp_path / "levels"], history)
    path = history_file(tmp_path / "a.csv", scale=1.01)
    status, message = only(import_paths([path], history))
    assert status == "refused"
    assert "those of no known index (1 indices were compared, 1 on 5 days or more)" in message
    assert "--index NIFTY FILE" in message
    assert only(import_paths([path], history, index="Nifty Bank"))[0] == "done"
    assert (
        history.indices(history.stored_days("indices")[0], history.stored_days("indices")[-1])[
            "index"
        ]
        .eq("BANKNIFTY")
        .any()
    )


def test_a_given_index_must_not_contradict_the_levels(
    history: ParquetHistory, tmp_path: Path
) -> None:
    level_days(tmp_path / "levels")
    import_paths([tmp_path / "levels"], history)
    path = history_file(tmp_path / "a.csv")
    status, message = only(import_paths([path], history, index="BANKNIFTY"))
    assert (status, "given as BANKNIFTY, but its closes are those of NIFTY" in message) == (
        "refused",
        True,
    )
    assert only(import_paths([path], history, index="nifty"))[0] == "done"
    with pytest.raises(DataError, match="no index is called 'NIFTI'; the nearest is NIFTY"):
        import_paths([path], history, index="NIFTI")


ROWS = [
    {"StrkPric": strike, "OptnTp": right, "FinInstrmId": str(50000 + place)}
    for place, (strike, right) in enumerate(
        itertools.product(("25800.00", "25850.50", "25900.00"), ("CE", "PE"))
    )
] + [{"TckrSymb": "M&M", "FinInstrmTp": "STO", "FinInstrmId": "60000", "NewBrdLotQty": "200"}]
NAMES = ("a.csv", "b.csv", "c.csv")
#: Which of the three files a row is in. Only b is in the old layout, so each is in a or c too.
#: c fills a column that is not read: a copy of a file is that file, and no second source.
PLACES = st.sampled_from([{"a.csv"}, {"c.csv"}, {"a.csv", "b.csv"}, {"b.csv", "c.csv"}, set(NAMES)])


@settings(max_examples=25, deadline=None)
@given(
    places=st.lists(PLACES, min_size=len(ROWS), max_size=len(ROWS)).filter(
        lambda drawn: set().union(*drawn) == set(NAMES)
    ),
    order=st.permutations(NAMES),
    rows=st.permutations(ROWS),
)
def test_any_split_in_any_order_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    places: list[set[str]],
    order: list[str],
    rows: list[dict[str, str]],
) -> None:
    folder = tmp_path_factory.mktemp("split")
    whole, split = (ParquetHistory(folder / name, "nse") for name in ("whole", "split"))
    for name in NAMES:
        make, mark = legacy if name == "b.csv" else udiff, {"Rmks": name}
        mine = [{**row, **mark} for row, at in zip(rows, places, strict=True) if name in at]
        save(folder / "in" / name, make(*mine))
        all_rows = make(*({**row, **mark} for row in ROWS))
        import_paths([save(folder / "all/in" / name, all_rows)], whole)
    for name in order:
        assert only(import_paths([folder / "in" / name], split))[0] != "refused"
    assert content(split) == content(whole)
    shutil.rmtree(folder)


def test_the_made_call_is_what_the_tests_think(history: ParquetHistory, tmp_path: Path) -> None:
    import_paths([save(tmp_path / "a.csv", udiff({}))], history)
    row = history.contracts(history.days()[0]).iloc[0]
    assert row["close"] == float(CALL["ClsPric"])
    assert row["lot_size"] == int(CALL["NewBrdLotQty"])
