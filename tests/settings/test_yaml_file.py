"""Values of plain scalars by chapter 10.3.2 of the YAML 1.2.2 specification, and its test table."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.errors import SettingsError
from strikeloom.settings import yaml_file
from strikeloom.settings.yaml_file import YamlDocument, read_yaml, write_yaml


def _read(folder: Path, text: str) -> YamlDocument:
    path = folder / "made.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        # null and switches
        ("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None),
        ("true", True), ("True", True), ("TRUE", True),
        ("false", False), ("False", False), ("FALSE", False),
        # whole numbers
        ("0", 0), ("-0", 0), ("+23", 23), ("-23", -23), ("07", 7), ("08", 8), ("010", 10),
        ("0011", 11), ("0o10", 8), ("0x10", 16), ("0xa", 10),
        # numbers
        ("0.0", 0.0), (".14", 0.14), ("3.", 3.0), ("001.23", 1.23), ("3e3", 3000.0), ("1e5", 1e5),
        ("+0.3e+3", 300.0), (".3E-1", 0.03), (".inf", math.inf), ("-.INF", -math.inf),
        # text, most of it something else in YAML 1.1
        ("yes", "yes"), ("No", "No"), ("NO", "NO"), ("ON", "ON"), ("off", "off"), ("y", "y"),
        ("16:30", "16:30"), ("9:16", "9:16"), ("1:30", "1:30"), ("190:20:30.15", "190:20:30.15"),
        ("2026-02-10", "2026-02-10"), ("2026-02-10 16:30:00", "2026-02-10 16:30:00"),
        ("1_000", "1_000"), ("85_230.15", "85_230.15"), ("0b100", "0b100"), ("0x2_0", "0x2_0"),
        ("-0x30", "-0x30"), ("=", "="), ("1e", "1e"), (".", "."), ("360ONE", "360ONE"),
        ("'16:30'", "16:30"), ('"010"', "010"), ('""', ""), ("'null'", "null"),
        ("!!str 010", "010"), ("!!int 010", 10), ("!!float 1", 1.0),
    ],
)  # fmt: skip
def test_a_scalar_has_the_value_of_the_core_schema(
    tmp_path: Path, written: str, value: Any
) -> None:
    read = _read(tmp_path, f"key: {written}\n").value["key"]
    assert (read, type(read)) == (value, type(value))
    assert math.isnan(_read(tmp_path, "- .nan").value[0])


def test_keys_are_read_as_values_are(tmp_path: Path) -> None:
    found = _read(tmp_path, "on: 1\nno: 2\n1: 3\n16:30: 4\n<<: {a: 5}\n")
    assert found.value == {"on": 1, "no": 2, 1: 3, "16:30": 4, "<<": {"a": 5}}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "key 'a' is set twice, first on line 1"),
        ("a: {b: 1,\n  c: 2, b: 3}", 2, "key 'b' is set twice, first on line 1"),
        ("- {a: 1, 'a': 2}", 1, "key 'a' is set twice"),
        ("16: 1\n0x10: 2\n", 2, "key 16 is set twice"),
        ("a: !!timestamp 2026-02-10", 1, "is not allowed; write a plain value"),
        ("a: 1\nb: !!python/object/apply:os.getcwd []", 2, "is not allowed"),
        ("a: !!int x", 1, "'x' is no int"),
        (f"a: {'9' * 5000}", 1, "has too many digits"),
        ("a: 1\n\tb: 2", 2, "cannot start any token"),
        ("a: b: c", 1, "mapping values are not allowed here"),
        ("a: [1", 1, "expected ',' or ']'"),
        ("a: 1\n---\nb: 2", 2, "found another document"),
        ("a: 1\n? [b]\n: 2", 2, "a key is a list or a mapping"),
        ("a: *b", 1, "found undefined alias"),
    ],
)
def test_what_is_no_plain_yaml_names_its_line(
    tmp_path: Path, text: str, line: int, problem: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        _read(tmp_path, text)
    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'made.yaml'}, line {line} is not valid YAML")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: caf\xe9\n", "line 2 is not UTF-8 text; save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), "line 1 is not UTF-8 text"),
        (b"a: \x00", "is not valid YAML: unacceptable character"),
        (b"[" * 5000, "is not valid YAML"),
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "made.yaml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        read_yaml(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.yaml cannot be read: No such file"):
        read_yaml(tmp_path / "gone.yaml")
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path)


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "made.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 16:30\r\nb: 010\r\n")
    assert read_yaml(path).value == {"a": "16:30", "b": 10}


def test_values_are_found_by_their_keys(tmp_path: Path) -> None:
    found = _read(
        tmp_path, "plans:\n  credit:\n    - {rule: a}\n    - {rule: b,\n       pin: 012}\n"
    )
    assert found.written("plans", "credit", 1, "pin") == "012"
    assert found.line("plans", "credit", 1, "pin") == 5
    assert found.line("plans", "credit", "line 2", "rule") == 4
    assert found.where("plans", "credit", 9) == f"{found.path}, line 3"
    assert found.written("plans", "credit", 9) is None


_VALUES = st.one_of(
    st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["010", "1e5", "1_0", "no", "16:30", "2026-02-10", "~", "", "0o10", "=", "<<"]),
)  # fmt: skip


@given(
    st.dictionaries(
        st.text(st.characters(categories=["L"]), min_size=1), _VALUES | st.lists(_VALUES)
    )
)
def test_written_values_are_read_again_by_both_versions(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.yaml"
    write_yaml(path, values)
    assert read_yaml(path).value == values
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == values


def test_nothing_else_reads_yaml() -> None:
    package = Path(yaml_file.__file__).parents[1]
    found = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"^\s*(import|from) (ruamel|yaml)\b", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert found == ["settings/yaml_file.py"]
