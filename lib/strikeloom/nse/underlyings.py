"""Known underlyings with kind and sector. Source: NSE's industry classification."""

from __future__ import annotations

import difflib
from functools import cache

from strikeloom.domain.instruments import InstrumentKind, Underlying
from strikeloom.errors import DataError
from strikeloom.nse.tables import rows


@cache
def known() -> dict[str, Underlying]:
    """All underlyings on record by symbol."""
    return {
        row["symbol"]: Underlying(row["symbol"], InstrumentKind(row["kind"]), row["sector"])
        for row in rows("underlyings")
    }


def underlying(symbol: str) -> Underlying:
    """One underlying.

    Raises
    ------
    DataError
        When the symbol is not on record; names the nearest.
    """
    found = known().get(symbol)
    if found is None:
        near = difflib.get_close_matches(symbol, known(), n=1)
        hint = f"did you mean {near[0]}? Otherwise add" if near else "add"
        raise DataError(
            f"underlying {symbol} has no row; {hint} it to nse/data/underlyings.csv",
            symbol=symbol,
        )
    return found
