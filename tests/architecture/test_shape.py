"""Rules of CONTRIBUTING as checks: sizes, names, clocks, paths. Exemptions have a reason."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lib" / "strikeloom"
FILES = sorted(PACKAGE.rglob("*.py"))

MOST_LINES, MOST_BODY, MOST_ARGUMENTS = 300, 60, 8
#: Longer than 300 lines, and why.
LONG_FILES = {
    "ports/store.py": "the store's protocols, mostly docstrings",
}
#: Longer than 60 lines, or more than 8 arguments, and why.
LARGE_FUNCTIONS = {
    "cli/stages.py:run": "a command's arguments are its options, one each",
    "cli/exchange.py:exchange": "a command's arguments are its options, one each",
    "cli/shortages.py:book": "a command's arguments are its options, one each",
}
FORBIDDEN_NAMES = {"utils", "helpers", "helper", "util", "base", "manager", "misc", "common"}
CLOCK = "adapters/system_clock.py"


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(_tree(path)) if isinstance(node, kinds)]


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    first = function.body[0]
    has_doc = ast.get_docstring(function) is not None
    doc = (first.end_lineno or 0) - first.lineno + 1 if has_doc else 0
    return (function.end_lineno or 0) - function.lineno + 1 - doc


def _arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    args = function.args
    names = [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def _is_large(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return _body_lines(function) > MOST_BODY or _arguments(function) > MOST_ARGUMENTS


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_files_are_short() -> None:
    long = {_name(path): _lines(path) for path in FILES if _lines(path) > MOST_LINES}
    assert {name: count for name, count in long.items() if name not in LONG_FILES} == {}


def test_files_are_well_named() -> None:
    words = {path: {path.stem, *path.relative_to(PACKAGE).parts} for path in FILES}
    assert [_name(path) for path in FILES if FORBIDDEN_NAMES & words[path]] == []


def test_functions_are_short_and_take_few_arguments() -> None:
    large = {
        f"{_name(path)}:{function.name}"
        for path in FILES
        for function in _functions(path)
        if _is_large(function)
    }
    assert large - set(LARGE_FUNCTIONS) == set()


def test_exemptions_are_still_needed() -> None:
    for name in LONG_FILES:
        assert _lines(PACKAGE / name) > MOST_LINES, name
    for name in LARGE_FUNCTIONS:
        path, function = name.split(":")
        assert any(f.name == function and _is_large(f) for f in _functions(PACKAGE / path)), name


def test_the_measures_measure() -> None:
    text = (
        "def f(self, a, /, b, *, c):\n" + '    """One.\n\n    Two.\n    """\n' + "    a = 1\n" * 5
    )
    (function,) = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
    assert (_body_lines(function), _arguments(function)) == (6, 3)


#: Names through which Python reads the time of the machine.
_NOW = re.compile(
    r"\b(?:datetime|date|Timestamp)\.(?:now|today|utcnow)\("
    r"|\btime\.(?:time|time_ns|localtime|gmtime|ctime)\("
    r"|datetime64\(\s*[\"'](?:now|today)"
)


def test_one_file_reads_the_system_clock() -> None:
    readers = {_name(path) for path in FILES if _NOW.search(path.read_text(encoding="utf-8"))}
    assert readers == {CLOCK}


def test_tests_measure_no_time() -> None:
    """A slow machine fails nothing: ratios are for ``benchmarks``."""
    watches = re.compile(r"perf_counter\(|process_time\(|\btime\.time\(")
    files = sorted((ROOT / "tests").rglob("*.py"))
    timed = [path.name for path in files if watches.search(path.read_text(encoding="utf-8"))]
    assert timed == []


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert not marks.search(text), _name(path)
        assert "NotImplementedError" not in text, _name(path)
        assert "sys.path" not in text, _name(path)


def _is_nan(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ("nan", "NaN", "NaT", "NA")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
        value = node.args[0] if node.args else None
        return isinstance(value, ast.Constant) and str(value.value).lower() == "nan"
    return False


def test_nothing_is_compared_with_not_a_number() -> None:
    """NaN equals nothing, itself included: such a test is always false."""
    for path in FILES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Compare) and any(
                isinstance(op, ast.Eq | ast.NotEq) for op in node.ops
            ):
                sides = [node.left, *node.comparators]
                assert not any(map(_is_nan, sides)), f"{_name(path)}:{node.lineno}"


def test_no_file_names_a_folder_of_one_machine() -> None:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a checkout of the repository")
    folders = re.compile(rb"(?<![\w.])/(?:home|root|Users|work)/[A-Za-z]")
    named = [
        name
        for name in listed.stdout.split("\0")
        if name and (ROOT / name).is_file() and folders.search((ROOT / name).read_bytes())
    ]
    assert named == []
