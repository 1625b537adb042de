"""The option chain of one underlying at one moment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from strikeloom.domain.frames import CONTRACTS
from strikeloom.domain.instruments import Underlying

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class OptionChain:
    """All listed options of one underlying, one row a contract.

    Attributes
    ----------
    rows : pandas.DataFrame
        Checked by ``CONTRACTS``; options only.
    futures : pandas.DataFrame
        The listed futures, same schema.
    spot : float
        Rupees.
    """

    underlying: Underlying
    day: date
    as_of: datetime
    spot: float
    rows: pd.DataFrame
    futures: pd.DataFrame

    def __post_init__(self) -> None:
        CONTRACTS.check(self.rows, where=f"chain of {self.underlying.symbol} on {self.day}")

    @property
    def chain_id(self) -> str:
        """Fingerprint of the prices the chain holds; the same chain has the same id."""
        columns = ["expiry", "strike", "right", "close", "settle", "lots_traded"]
        import pandas as pd

        ordered = self.rows.sort_values(["expiry", "strike", "right"])[columns]
        hashed = pd.util.hash_pandas_object(ordered, index=False).to_numpy().tobytes()
        head = f"{self.underlying.symbol}|{self.day}|{self.spot!r}".encode()
        return hashlib.sha256(head + hashed).hexdigest()[:16]
