"""Instruments as the stored contracts list them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.instruments.dated_ticks import DatedTicks
from strikeloom.domain.instruments import InstrumentKind, OptionContract, Underlying, parse_key
from strikeloom.domain.money import rupees
from strikeloom.errors import DataError, MissingHistory
from strikeloom.nse.corporate_actions import actions
from strikeloom.nse.freeze import freeze_units
from strikeloom.nse.lots import index_lot
from strikeloom.nse.underlyings import underlying as known_underlying
from strikeloom.ports.history import History

if TYPE_CHECKING:
    import pandas as pd

_SYMBOLS_KEPT = 64


class HistoryInstruments:
    """``ports.instruments.Instruments`` over a history.

    Parameters
    ----------
    underlyings : mapping of str to Underlying
        Those of a synthetic market; empty for the exchange, whose symbols are in ``nse``.
    """

    def __init__(self, history: History, underlyings: Mapping[str, Underlying]) -> None:
        self._history = history
        self._underlyings = underlyings
        self._listed = lru_cache(maxsize=_SYMBOLS_KEPT)(self._load)
        self._ticks = DatedTicks(history)

    def underlying(self, symbol: str) -> Underlying:
        """Kind and sector of a symbol.

        Raises
        ------
        DataError
            When the symbol is unknown; names the nearest.
        """
        return self._underlyings.get(symbol) or known_underlying(symbol)

    def contract(self, key: str, day: date) -> OptionContract:
        """Contract by key, as listed on the last stored day up to ``day``.

        Raises
        ------
        MissingHistory
            When no day up to ``day`` is stored.
        DataError
            When it is not listed on that day, or its lot size is not on record.
        """
        symbol, expiry, strike, right = parse_key(key)
        days = [stored for stored in self._history.days() if stored <= day]
        if not days:
            raise MissingHistory(f"market {self._history.market} has no contracts up to {day}")
        listed = self._listed(days[-1], symbol)
        found = listed[
            (listed["expiry"] == np.datetime64(expiry))
            & (listed["strike"] == rupees(strike))
            & (listed["right"] == right.value)
        ]
        if not len(found):
            known = "; ".join(str(action) for action in actions(symbol, days[-1]))
            raise DataError(
                f"{key} is not listed on {days[-1]}; the exchange may have re-dated, adjusted "
                f"or removed it{f' (on record: {known})' if known else ''}",
                key=key,
            )
        row = found.iloc[0]
        kind = InstrumentKind(row["kind"])
        return OptionContract(
            symbol=symbol,
            expiry=expiry,
            strike=strike,
            right=right,
            kind=kind,
            lot_size=int(row["lot_size"]) or _lot_on_record(symbol, kind, expiry, days[-1]),
            tick=self.tick(symbol, kind, day),
        )

    def order_limit(self, contract: OptionContract, day: date) -> int | None:
        """Largest order in units by the exchange's dated list; ``None`` where it has none."""
        return freeze_units(contract.symbol, day)

    def tick(self, symbol: str, kind: InstrumentKind, day: date) -> int:
        """Price step in paise of every option on an underlying, as of a day.

        The coarser one, valid in both cases, where the close that decided it is not stored.
        """
        return self._ticks.tick(symbol, kind, day)

    def _load(self, day: date, symbol: str) -> pd.DataFrame:
        return self._history.contracts(day, symbols=[symbol])


def _lot_on_record(symbol: str, kind: InstrumentKind, expiry: date, day: date) -> int:
    """Lot size of a contract whose file lacks it (the old layout)."""
    if kind is InstrumentKind.INDEX:
        return index_lot(symbol, expiry, day)
    raise DataError(
        f"the file of {day} is in the old layout, which has no lot sizes, and none is on record "
        f"for {symbol}; import the day's UDiFF file",
        symbol=symbol,
    )
