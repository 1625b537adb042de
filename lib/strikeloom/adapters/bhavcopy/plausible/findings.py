"""What the checks find in one file: damaged rows, and objections to the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.errors import BadFile, DataError

if TYPE_CHECKING:
    import pyarrow as pa

#: Names of the checks, as ``--accept`` takes them, with what each compares.
CHECKS = {
    "session": "days on which the calendar has no session",
    "name": "the day in the file's name and the days of its rows",
    "dates": "rows of several days, contracts that ended before the day",
    "prices": "prices that are missing or outside low to high",
    "units": "strikes and prices against the level of their underlying",
    "underlying": "levels and final settlements that differ within one underlying",
    "contracts": "ids, kinds, strikes and lots that differ within one contract or series",
    "missing": "contracts, symbols or indices of the day before that are absent",
    "levels": "levels far from those of the day before or of another file",
    "previous": "previous closes, open interest and volume against the day before",
    "symbols": "symbols that the contracts do not have",
}
_MOST_ROWS = 0.2  # of the rows that a check applies to; more is a damaged file
_FEWEST_ROWS = 5
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Checked:
    """Rows of a file that passed.

    Attributes
    ----------
    left_out : int
        Number of damaged rows that are not among them.
    note : str
        Damaged rows by name, accepted objections and remarks; may be empty.
    accepted : tuple of str
        Checks that objected and were accepted by the user.
    """

    table: pa.Table
    left_out: int = 0
    note: str = ""
    accepted: tuple[str, ...] = ()


@dataclass
class Findings:
    """Findings in one file.

    Parameters
    ----------
    accept : collection of str
        Checks whose objections the user accepts: they are recorded, and refuse nothing.
    """

    name: str
    rows: int
    accept: frozenset[str] = frozenset()
    _left_out: dict[str, np.ndarray] = field(default_factory=dict)
    _examples: list[tuple[str, int, str]] = field(default_factory=list)
    _objections: list[tuple[str, str]] = field(default_factory=list)
    _remarks: list[str] = field(default_factory=list)

    def damaged(
        self,
        check: str,
        bad: np.ndarray,
        describe: Callable[[int], str],
        *,
        of: int | None = None,
    ) -> None:
        """Leave rows out, or object to the file when they are too many.

        Parameters
        ----------
        bad : ndarray of bool
            One for each row of the file.
        describe : callable
            Row number to the row's name with its numbers.
        of : int, optional
            Number of rows that the check applies to; default: all.
        """
        rows = np.flatnonzero(bad)
        if not len(rows):
            return
        shown = "; ".join(describe(int(row)) for row in rows[:_SHOWN])
        applies = self.rows if of is None else of
        if len(rows) >= _FEWEST_ROWS and len(rows) > _MOST_ROWS * applies:
            self.object(check, f"{len(rows)} of {applies} rows are damaged, such as {shown}")
        elif check in self.accept:
            self._objections.append((check, f"{len(rows)} rows, such as {shown}"))
        else:
            known = self._left_out.get(check, np.zeros(self.rows, dtype=bool))
            self._left_out[check] = known | bad
            self._examples.append((check, len(rows), shown))

    def object(self, check: str, why: str) -> None:
        """Object to the whole file."""
        self._objections.append((check, why))

    def remark(self, text: str) -> None:
        """Add a remark that refuses nothing."""
        self._remarks.append(text)

    def passed(self, table: pa.Table) -> Checked:
        """Rows that are not damaged.

        Raises
        ------
        BadFile
            When there is an objection that is not accepted; names every such check.
        """
        import pyarrow as pa

        out = np.zeros(self.rows, dtype=bool)
        for bad in self._left_out.values():
            out |= bad
        count = int(out.sum())
        if count == self.rows or (count >= _FEWEST_ROWS and count > _MOST_ROWS * self.rows):
            self._objections += [(check, shown) for check, _, shown in self._examples]
        accepted, note = self.outcome(count)
        return Checked(table.filter(pa.array(~out)) if count else table, count, note, accepted)

    def outcome(self, left_out: int = 0) -> tuple[tuple[str, ...], str]:
        """Accepted checks, and the note of what was found.

        Raises
        ------
        BadFile
            As ``passed``.
        """
        refused = [(check, why) for check, why in self._objections if check not in self.accept]
        if refused:
            raise self._refusal(refused)
        return self._accepted(), self._note(left_out)

    def _accepted(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(check for check, _ in self._objections))

    def _note(self, count: int) -> str:
        parts = list(self._remarks)
        if count:
            kinds = "; ".join(
                f"{shown}{f' and {rows - _SHOWN} more' if rows > _SHOWN else ''} (check {check})"
                for check, rows, shown in self._examples
            )
            parts.append(
                f"{count} damaged {'row' if count == 1 else 'rows'} left out: {kinds}; download "
                "the file again, its right rows complete the stored ones. If the exchange "
                f"published it so: {_remedy(check for check, _, _ in self._examples)}"
            )
        accepted = [f"{why} (check {check})" for check, why in self._objections]
        if accepted:
            parts.append(f"accepted as given: {'; '.join(accepted)}")
        return "; ".join(parts)

    def _refusal(self, objections: list[tuple[str, str]]) -> BadFile:
        checks = list(dict.fromkeys(check for check, _ in objections))
        why = "; ".join(why for _, why in objections[:_SHOWN])
        return BadFile(
            f"{self.name}: {why}. Nothing of it was stored; download it again. If the exchange "
            f"published it so: {_remedy(checks)}",
            checks=checks,
        )


def _remedy(checks: Iterable[str]) -> str:
    flags = " ".join(f"--accept {check}" for check in dict.fromkeys(checks))
    return f"strikeloom data import {flags} FILE"


def known_checks(names: Iterable[str]) -> frozenset[str]:
    """Names of checks given by a user.

    Raises
    ------
    DataError
        When one is unknown; lists all.
    """
    given = frozenset(names)
    unknown = sorted(given - set(CHECKS))
    if unknown:
        raise DataError(f"no check is called {unknown[0]!r}; the checks are {', '.join(CHECKS)}")
    return given
