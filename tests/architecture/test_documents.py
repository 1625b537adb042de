"""What the documents name exists: files and rooms in backticks, links, commands and options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from strikeloom.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lib" / "strikeloom"
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
    ROOT / ".github" / "pull_request_template.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
#: Folders of the repository whose files a document may name from the root.
FOLDERS = ("lib", "tests", "config", "notebooks", "docs", "benchmarks", ".ci", ".github")
_PATH = re.compile(r"[\w.<>*-]+(?:/[\w.<>*-]+)*/?")

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def _code(document: Path) -> Iterator[str]:
    """Code of a document: each line of a block, each piece in backticks."""
    blocks = re.split(r"^```.*\n", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for number, text in enumerate(blocks):
        if number % 2:
            yield from text.splitlines()
        else:
            yield from re.findall(r"`([^`\n]+)`", text)


def _rooms() -> set[str]:
    return {path.stem for path in PACKAGE.iterdir() if not path.name.startswith("_")}


def _place(name: str) -> Path | None:
    """Where a name in backticks must exist; ``None`` when it is not a path of the repository."""
    if not _PATH.fullmatch(name):
        return None
    first = name.split("/", maxsplit=1)[0]
    if "/" in name and first in FOLDERS:
        return ROOT
    in_room = "/" in name and first in _rooms()
    return PACKAGE if in_room or name.endswith(".py") else None


def _exists(base: Path, name: str) -> bool:
    pattern = re.sub(r"<[^>]*>", "*", name.rstrip("/"))
    return any(base.glob(pattern)) or any(base.glob(f"{pattern}.py"))


@each_document
def test_files_and_rooms_that_a_document_names_exist(document: Path) -> None:
    places = [(_place(name), name) for name in _code(document)]
    assert [name for base, name in places if base and not _exists(base, name)] == []


@each_document
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
    dead = []
    for link in links:
        path, _, heading = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (heading and heading not in _headings(target)):
            dead.append(link)
    assert dead == []


def _headings(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@each_document
def test_commands_of_a_document_exist_with_their_options(document: Path) -> None:
    wrong = []
    for line in _code(document):
        words = shlex.split(line.partition("#")[0].replace("'", ""))
        if words[:1] == ["strikeloom"] and not _is_command(words[1:]):
            wrong.append(line)
    assert wrong == []


def _is_command(words: list[str]) -> bool:
    command = get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]  # type: ignore[attr-defined]
    if hasattr(command, "commands") and words and not words[0].startswith("-"):
        return False
    known = {name for option in command.params for name in option.opts} | {"--help"}
    return {option for option in words if option.startswith("--")}.issubset(known)


def test_the_measures_measure(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Two words\n`a/b` and\n```\nstrikeloom iv X\n```\n", encoding="utf-8")
    assert list(_code(page)) == ["a/b", "strikeloom iv X"]
    assert _headings(page) == {"two-words"}
    assert _place("trading/nowhere") == PACKAGE
    assert not _exists(PACKAGE, "trading/nowhere")
    assert _exists(PACKAGE, "nse/data/*.csv")
    assert _is_command(["exit", "--all"])
    assert not _is_command(["exit", "--nothing"])
    assert not _is_command(["nothing"])
