"""Columns as wide as their content: a truncated id could not be copied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def aligned(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a header and one line a row.

    Parameters
    ----------
    columns : sequence of str
        Names; one that ends with ``>`` is right-aligned.
    rows : iterable of sequence
        ``None`` is shown empty, a float with four digits.
    """
    right_aligned = [name.endswith(">") for name in columns]
    table = [[name.removesuffix(">") for name in columns]]
    table += [[_text(value) for value in row] for row in rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(columns))]
    return [
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, right_aligned, strict=True)
        ).rstrip()
        for row in table
    ]


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
