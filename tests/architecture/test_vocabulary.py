"""Plain vocabulary: banned words are absent from names, texts, comments and documents."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("lib", "config", "notebooks", "docs", "tests", "benchmarks", "*.md")
SUFFIXES = {".py", ".md", ".yaml", ".ipynb", ".js", ".html", ".css", ".csv", ".toml"}
#: Words with a standard term of the trade in their place (CONTRIBUTING.md, "Glossary").
WORDS = (
    "doubt|doubts|doubtful|doubted|told|untold|foretold|tell|tells|telling|heard|"
    "hear|hears|hearing|stands|standing|house|door|doors|trouble|troubles|troubled|"
    "spoil|spoils|spoiled|wayward|deadly|riddle|riddles|wish|wishes|said|says|say|"
    "saying|tariff|tariffs|dealt|nobody|unspoiled|lain|hush|heed|heeded|amiss|"
    "nigh|anew"
)
PHRASES = (
    "what is behind", "of this world", "lets us", "let us in", "works on", "came late",
    "comes late", "come to life", "came to life", "gives way", "whose turn", "in its turn",
    "bad day", "bad days", "is a person's", "by that alone", "made chains", "no opinion",
    "word for",
)  # fmt: skip
#: Function names without meaning.
FUNCTIONS = ("_one", "_one_[a-z]+", "_told", "_heard", "_said", "_untold", "_as_it_is", "_over",
             "_look", "_call_back")  # fmt: skip
PATTERNS = (
    re.compile(rf"(?<![A-Za-z])(?:{WORDS})(?![A-Za-z])", re.IGNORECASE),
    re.compile(
        r"(?:Doubt|Told|Heard|Stands|Standing|House|Door|Trouble|Spoil|Wish|Tariff)"
        r"(?=[A-Z]|s?[A-Z]|\b|s\b)"
    ),
    re.compile("|".join(map(re.escape, PHRASES)), re.IGNORECASE),
    re.compile(rf"\bdef (?:{'|'.join(FUNCTIONS)})\("),
)
#: Lines that may hold a banned word, by file, and why.
ALLOWED = {
    "tests/architecture/test_vocabulary.py": (r".*", "the list itself"),
    "CHANGELOG.md": (r"`strikeloom doubt` is now", "the former name of a command"),
    "lib/strikeloom/exchange/account/rows.py": (
        r"CONDITIONAL = ",
        "stored in accounts",
    ),
    "lib/strikeloom/domain/volatility.py": (r"THIN = ", "a stored value of the volatility history"),
}


def banned(line: str) -> list[str]:
    """Banned words and phrases of a line."""
    return [match.group() for pattern in PATTERNS for match in pattern.finditer(line)]


def _files() -> Iterator[Path]:
    """Tracked and new text files, without the exchange's data tables."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PLACES],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in sorted(set(filter(None, names))):
        path = ROOT / name
        if path.suffix in SUFFIXES and "/nse/data/" not in name and path.is_file():
            yield path


def test_banned_words_are_absent() -> None:
    found = []
    for path in _files():
        name = path.relative_to(ROOT).as_posix()
        allowed = re.compile(ALLOWED[name][0]) if name in ALLOWED else None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            words = banned(line)
            if words and not (allowed and allowed.search(line)):
                found.append(f"{name}:{number}: {', '.join(words)}")
    assert not found, f"{len(found)} lines; use the terms of the glossary:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("def test_quotes_say_so():", ["say"]),
        ("class StandingDesk:", ["Standing"]),
        ("# The order works on.", ["works on"]),
        ("def _one_leg(leg):", ["def _one_leg("]),
        ("essay = household = 'storytelling'", []),
        ("the order is unresolved", []),
    ],
)
def test_words_are_recognised_inside_names_but_not_inside_words(
    line: str, words: list[str]
) -> None:
    assert banned(line) == words
