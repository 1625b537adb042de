"""Amounts, percentages and tables as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

from strikeloom.domain.money import paise, rupees_text

if TYPE_CHECKING:
    import pandas as pd

UNLIMITED = "unlimited"
UNKNOWN = "not known"


def amount(rupees: float | None, *, signed: bool = False) -> str:
    """Rupees with Indian grouping; infinite is unlimited, ``None`` not known."""
    if rupees is None:
        return UNKNOWN
    return UNLIMITED if math.isinf(rupees) else rupees_text(paise(rupees), signed=signed)


def percent(value: float | None, decimals: int = 1) -> str:
    """Per cent; ``None`` is not known."""
    return UNKNOWN if value is None else f"{value:.{decimals}f} %"


def with_units(frame: pd.DataFrame, units: Mapping[str, str]) -> pd.DataFrame:
    """The frame with the unit of each column in ``attrs["units"]``."""
    frame.attrs["units"] = {name: units[name] for name in frame.columns}
    return frame


def page(lines: Iterable[str], *tables: pd.DataFrame) -> str:
    """HTML of lines, the first as a heading, and of tables with their units."""
    first, *rest = lines
    parts = [f"<h4>{escape(first)}</h4>", *(f"<div>{escape(line)}</div>" for line in rest)]
    for table in tables:
        units = table.attrs.get("units", {})
        named = {name: f"{name} [{units[name]}]" for name in table.columns if units.get(name)}
        shown = table.rename(columns=named)
        parts.append(shown.to_html(index=False, na_rep="", float_format="{:,.2f}".format))
    return "\n".join(parts)
