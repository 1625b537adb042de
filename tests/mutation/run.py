"""``make mutation``: does a test fail when a line that counts money is wrong?

Each mutant of a room's modules is tried with the tests of that room alone. ``[tool.mutation]`` of
pyproject.toml names the modules and tests of a room. Results are kept in ``.mutation``: a run
that is stopped goes on where it was, a module that changed is tried again, and survivors are tried
again when a test of the room changed.

    python tests/mutation/run.py [ROOM ...] [--only PATTERN] [--fresh] [--report]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import trial
from mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / ".mutation"
PACKAGES = ROOT / "lib"

Results = dict[str, dict[str, str]]


class Room:
    """Modules and the tests that must notice when one is wrong, with the results so far."""

    def __init__(self, name: str, setting: dict, operators: list[str], only: str) -> None:
        self.name, self.tests = name, list(setting["tests"])
        self.files = sorted(
            path
            for pattern in setting["modules"]
            for path in ROOT.glob(pattern)
            if path.stem != "__init__" and re.search(only, path.name)
        )
        self.mutants = [
            mutant for path in self.files for mutant in mutants(path, _module(path), operators)
        ]
        self.file = RESULTS / f"{name}.json"
        self.results: Results = {}
        if self.file.exists():
            self.results = json.loads(self.file.read_text(encoding="utf-8"))
        self.digest = _digest(self.tests)

    def pending(self) -> list[Mutant]:
        """Mutants without a result, or that survived other tests than today's."""
        return [m for m in self.mutants if not self._is_decided(self.results.get(m.key))]

    def _is_decided(self, result: dict[str, str] | None) -> bool:
        if result is None:
            return False
        return result["outcome"] == "killed" or result["tests"] == self.digest

    def keep(self, mutant: Mutant, outcome: str, test: str) -> None:
        """Record a result at once, so that nothing is tried twice."""
        self.results[mutant.key] = {"outcome": outcome, "by": test, "tests": self.digest}
        RESULTS.mkdir(exist_ok=True)
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(self.results, indent=0), encoding="utf-8")
        part.replace(self.file)

    def try_all(self) -> None:
        """Try every pending mutant.

        Raises
        ------
        SystemExit
            When the tests fail on the code as it is.
        """
        pending = self.pending()
        if not pending:
            return
        scratch = Path(tempfile.mkdtemp(prefix="mutation-"))
        try:
            self._try(pending, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _try(self, pending: list[Mutant], scratch: Path) -> None:
        first = trial.run_tests(self.tests, scratch)
        if first.outcome != "passed":
            log = (scratch / "last.log").read_text(encoding="utf-8")
            raise SystemExit(f"the tests of {self.name} fail on the code as it is:\n{log}")
        trial.load(first.libraries)
        started = time.monotonic()
        again = trial.run_tests(self.tests, scratch)
        spent = time.monotonic() - started
        limit = 20 + 8 * spent
        show(f"{self.name}: {len(pending)} mutants to try, {spent:.0f} s of tests each at most")
        kills: Counter[str] = Counter()
        for number, mutant in enumerate(pending, 1):
            order = {test: took - 1000.0 * kills[test] for test, took in again.durations.items()}
            file = next(path for path in self.files if _module(path) == mutant.module)
            result = trial.run_tests(
                self.tests,
                scratch,
                changed=(mutant.module, file, mutant.source),
                order=order,
                limit=limit,
            )
            by = result.failed[0] if result.failed else ""
            # an error is a module that cannot even be imported
            outcomes = {"passed": "survived", "failed": "killed", "error": "killed"}
            outcome = outcomes.get(result.outcome, "timeout")
            kills[by] += outcome == "killed"
            self.keep(mutant, outcome, by)
            if outcome != "killed":
                show(f"  {outcome}: {_where(mutant)}")
            if number % 50 == 0:
                show(f"  {number} of {len(pending)}")

    def report(self) -> None:
        """Print the figures by module, then the survivors."""
        show(f"\n{self.name}, tests {' '.join(self.tests)}")
        show(f"  {'module':40} {'mutants':>7} {'killed':>7} {'timeout':>7} {'survived':>8}  share")
        total: Counter[str] = Counter()
        for path in self.files:
            counts = Counter(
                self.results.get(m.key, {"outcome": "untried"})["outcome"]
                for m in self.mutants
                if m.module == _module(path)
            )
            total += counts
            _show_counts(_module(path).removeprefix("strikeloom."), counts)
        _show_counts("all", total)
        for mutant in self.mutants:
            if self.results.get(mutant.key, {}).get("outcome") in ("survived", "timeout"):
                outcome = self.results[mutant.key]["outcome"]
                show(f"  {outcome}: {_where(mutant)}")


def _show_counts(name: str, counts: Counter[str]) -> None:
    tried = counts["killed"] + counts["timeout"] + counts["survived"]
    share = f"{(counts['killed'] + counts['timeout']) / tried:.1%}" if tried else "-"
    untried = f"  ({counts['untried']} untried)" if counts["untried"] else ""
    show(
        f"  {name:40} {counts.total():7} {counts['killed']:7} {counts['timeout']:7} "
        f"{counts['survived']:8} {share:>6}{untried}"
    )


def _where(mutant: Mutant) -> str:
    module = mutant.module.removeprefix("strikeloom.")
    return f"{module}:{mutant.line} {mutant.change}\n      {mutant.shown}"


def _module(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGES).with_suffix("").parts)


def _digest(tests: list[str]) -> str:
    """Digest of the sources of a room's tests."""
    digest = hashlib.sha256()
    for test in tests:
        path = ROOT / test
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def show(text: str) -> None:
    """Print at once, also into a file."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Try the mutants of the rooms asked for, or of all, and report."""
    # ended from outside, it ends the trial that runs, too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    setting = settings["tool"]["mutation"]
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("rooms", nargs="*", choices=[*setting["rooms"], []])
    parser.add_argument("--only", default="", help="pattern of file names")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument("--report", action="store_true", help="try nothing, report")
    asked = parser.parse_args()
    rooms = []
    for name in asked.rooms or setting["rooms"]:
        if asked.fresh:
            (RESULTS / f"{name}.json").unlink(missing_ok=True)
        rooms.append(Room(name, setting["rooms"][name], setting["operators"], asked.only))
    for room in rooms:
        if not asked.report:
            room.try_all()
    for room in rooms:
        room.report()


if __name__ == "__main__":
    main()
