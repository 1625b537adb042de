"""Instruments as the stored contracts list them."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from strikeloom.domain.instruments import Kind, OptionContract, Right, Underlying, parse_key
from strikeloom.domain.money import paise
from strikeloom.errors import DataError, MissingHistory
from strikeloom.nse.ticks import option_tick
from strikeloom.nse.underlyings import underlying as known_underlying
from strikeloom.ports.history import History


class HistoryInstruments:
    """``ports.instruments.Instruments`` over a history.

    Parameters
    ----------
    underlyings : dict of str to Underlying
        Of a made market; empty for the exchange, whose symbols are on record in ``nse``.
    """

    def __init__(self, history: History, underlyings: dict[str, Underlying]) -> None:
        self._history = history
        self._underlyings = underlyings
        self._listed = lru_cache(maxsize=64)(self._load)

    def underlying(self, symbol: str) -> Underlying:
        """Kind and sector of a symbol."""
        return self._underlyings.get(symbol) or known_underlying(symbol)

    def contract(self, key: str, day: date) -> OptionContract:
        """Contract by key, as listed on the last stored day up to ``day``."""
        symbol, *_ = parse_key(key)
        days = [d for d in self._history.days() if d <= day]
        if not days:
            raise MissingHistory(f"market {self._history.market} has no contracts up to {day}")
        found = self._listed(days[-1], symbol).get(key)
        if found is None:
            raise DataError(
                f"{key} is not listed on {days[-1]}; the exchange may have re-dated, adjusted "
                "or removed it",
                key=key,
            )
        return found

    def _load(self, day: date, symbol: str) -> dict[str, OptionContract]:
        frame = self._history.contracts(day, symbols=[symbol])
        frame = frame[frame["right"] != "XX"]
        found = {}
        for row in frame.itertuples(index=False):
            kind = Kind(row.kind)
            level = paise(row.underlying) if row.underlying == row.underlying else None
            strike = paise(row.strike, what="strike")
            contract = OptionContract(
                symbol,
                row.expiry.date(),
                strike,
                Right(row.right),
                kind,
                row.lot_size,
                option_tick(kind, level, day),
            )
            found[contract.key] = contract
        return found
