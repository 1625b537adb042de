"""Option chains as a broker shows them now."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd


class Chains(Protocol):
    """Live option chains; each call reads one expiry."""

    def expiries(self, symbol: str) -> list[date]:
        """Live expiries of an underlying, ascending.

        Raises
        ------
        RateLimited, Unreachable
            Nothing was read; ask again later.
        DataError
            When the symbol is not in the broker's list.
        """
        ...

    def chain(self, symbol: str, expiry: date) -> pd.DataFrame:
        """``domain.frames.QUOTES`` rows of one expiry; ``at`` is the moment of the reply.

        Prices in rupees, NaN when absent; sizes, volume and open interest in units; ``spot`` is
        the underlying's level in the reply. A side of a strike that the reply lacks has no row.

        Raises
        ------
        RateLimited, Unreachable
            Nothing was read; ask again later.
        NoQuote
            When the reply has no level of the underlying, or no strike.
        """
        ...
