"""Instruments as the stored contracts list them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.instruments.adjustments import AdjustmentSearch
from strikeloom.adapters.instruments.dated_ticks import DatedTicks
from strikeloom.adapters.instruments.share_changes import share_adjustments
from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import (
    FUTURE_RIGHT,
    SHARE_RIGHT,
    Contract,
    FutureContract,
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
    Underlying,
    instrument_of,
)
from strikeloom.domain.money import paise, rupees
from strikeloom.errors import DataError, MissingHistory
from strikeloom.nse.corporate_actions import actions
from strikeloom.nse.freeze import freeze_units
from strikeloom.nse.lots import index_lot
from strikeloom.nse.underlyings import underlying as known_underlying
from strikeloom.ports.history import History

if TYPE_CHECKING:
    import pandas as pd

_SYMBOLS_KEPT = 64
_SEARCHED = 10  # days before, on which a contract that is not listed is looked for


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
        self._search = AdjustmentSearch(history, self._listed, self._contract_of)

    def underlying(self, symbol: str) -> Underlying:
        """Kind and sector of a symbol.

        Raises
        ------
        DataError
            When the symbol is unknown; names the nearest.
        """
        return self._underlyings.get(symbol) or known_underlying(symbol)

    def instrument(self, key: str, day: date) -> Instrument:
        """Instrument by key, as listed on the last stored day up to ``day``.

        Raises
        ------
        MissingHistory
            When no day up to ``day`` is stored.
        DataError
            When it is not listed on that day, or its lot size is not on record.
        """
        named = instrument_of(key)
        days = [stored for stored in self._history.days() if stored <= day]
        if not days:
            raise MissingHistory(f"market {self._history.market} has no contracts up to {day}")
        listed = self._listed(days[-1], named.symbol)
        if isinstance(named, Share):
            if self.underlying(named.symbol).kind is InstrumentKind.STOCK and len(listed):
                tick = self.tick(named.symbol, InstrumentKind.STOCK, day, SHARE_RIGHT)
                return replace(named, tick=tick)
            raise DataError(f"{key}: {named.symbol} has no share with listed options", key=key)
        found = listed[_is_row_of(named, listed)]
        if not len(found):
            why = self._event(named, days)
            raise DataError(f"{key} is not listed on {days[-1]}; {why}", key=key)
        return self._contract_of(found.iloc[0], day)

    def adjustments(
        self, instrument: Instrument, held_since: date, until: date
    ) -> list[ContractAdjustment]:
        """What became of an instrument while it was held: contracts by the stored lists.

        Of a share by corporate actions alone.

        Raises
        ------
        DataError
            When a lot size is not on record.
        StoreError
            When a stored list cannot be read.
        """
        if isinstance(instrument, Share):
            actions = self._history.actions(held_since + timedelta(days=1), until)
            return share_adjustments(instrument, actions, self._share_tick)
        return self._search.adjustments(instrument, held_since, until)

    def _contract_of(self, row: pd.Series, day: date, lot: int = 0) -> Contract:
        """Contract of a row of a day.

        Where the file has no lot, with that on record for an index, else with the one given.
        """
        symbol, kind = str(row["symbol"]), InstrumentKind(row["kind"])
        expiry = row["expiry"].date()
        size = int(row["lot_size"]) or _lot_on_record(symbol, kind, expiry, day, lot)
        if row["right"] == FUTURE_RIGHT:
            tick = self.tick(symbol, kind, day, FUTURE_RIGHT)
            return FutureContract(symbol, expiry, kind, size, tick)
        tick = self.tick(symbol, kind, day)
        strike, right = paise(row["strike"], what="strike"), Right(row["right"])
        return OptionContract(symbol, expiry, strike, right, kind, size, tick)

    def _share_tick(self, symbol: str, day: date) -> int:
        return self.tick(symbol, InstrumentKind.STOCK, day, SHARE_RIGHT)

    def _event(self, held: Contract, days: list[date]) -> str:
        """What became of a contract that is no longer listed, as a clause."""
        symbol, expiry = held.symbol, held.expiry
        for day in days[-_SEARCHED - 1 : -1][::-1]:
            if expiry >= day and _is_row_of(held, self._listed(day, symbol)).any():
                changes = self.adjustments(held, day, days[-1])
                if changes:
                    return f"it is {changes[-1].new.key} since {changes[-1].day}: " + "; ".join(
                        change.cause for change in changes
                    )
                return f"it was listed until {day}, and the exchange has removed it"
        known = actions(symbol, days[-1])
        text = f" (on record: {'; '.join(map(str, known))})" if known else ""
        return f"nor was it on the stored days just before{text}"

    def order_limit(self, instrument: Instrument, day: date) -> int | None:
        """Largest order in units by the exchange's dated list; ``None`` where it has none.

        The list is of contracts: a share has none.
        """
        if isinstance(instrument, Share):
            return None
        return freeze_units(instrument.symbol, day)

    def tick(self, symbol: str, kind: InstrumentKind, day: date, right: str = "") -> int:
        """Price step in paise of every option on an underlying, as of a day.

        The coarser one, valid in both cases, where the close that decided it is not stored. With
        ``right`` XX that of its futures, with EQ that of its share.
        """
        return self._ticks.tick(symbol, kind, day, right)

    def _load(self, day: date, symbol: str) -> pd.DataFrame:
        return self._history.contracts(day, symbols=[symbol])


def _is_row_of(contract: Contract, listed: pd.DataFrame) -> pd.Series:
    """Which rows of a day's list are the contract's, by its name."""
    strike, right = 0, FUTURE_RIGHT
    if isinstance(contract, OptionContract):
        strike, right = contract.strike, contract.right.value
    return (
        (listed["expiry"] == np.datetime64(contract.expiry))
        & (listed["strike"] == rupees(strike))
        & (listed["right"] == right)
    )


def _lot_on_record(symbol: str, kind: InstrumentKind, expiry: date, day: date, known: int) -> int:
    """Lot size of a contract whose file lacks it (the old layout); else the one known, not 0."""
    try:
        if kind is InstrumentKind.INDEX:
            return index_lot(symbol, expiry, day)
    except DataError:
        if not known:
            raise
    if known:
        return known
    raise DataError(
        f"the file of {day} is in the old layout, which has no lot sizes, and none is on record "
        f"for {symbol}; import the day's UDiFF file",
        symbol=symbol,
    )
