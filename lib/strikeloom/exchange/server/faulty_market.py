"""A market with injected faults: quotes absent, one-sided, crossed, stale or stuck."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import numpy as np

from strikeloom.domain.depth import Depth
from strikeloom.domain.instruments import Instrument, symbol_of
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.market.columns import Ints, QuoteColumns
from strikeloom.exchange.market.views import View
from strikeloom.exchange.server.fault_injection import ANY, QUOTE_FAULTS, FaultInjector, FaultKind
from strikeloom.exchange.server.market_wrapper import MarketWrapper
from strikeloom.exchange.server.served_market import ServedMarket

_SHOWN = ("bid", "ask", "last", "bid_size", "ask_size", "volume", "open_interest")


class FaultyMarket(MarketWrapper):
    """Market whose faulty quotes are seen by the engine and on the wire alike."""

    def __init__(self, market: ServedMarket, faults: FaultInjector) -> None:
        super().__init__(market)
        self._faults = faults
        self._frozen: dict[tuple[str, FaultKind], Quote] = {}

    def quotes(self, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        """Quotes with the faults injected."""
        return self._inject_all(self._market.quotes(contracts))

    def quotes_at(self, at: datetime, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        """Quotes of a moment with the faults injected."""
        return self._inject_all(self._market.quotes_at(at, contracts))

    def depths(self, contracts: Iterable[Instrument]) -> dict[str, Depth]:
        """Depth with the faults injected: a faulty quote has one level a side."""
        wanted = list(contracts)
        return self._inject_depth(self._market.depths(wanted), self._market.quotes(wanted))

    def depths_at(self, at: datetime, contracts: Iterable[Instrument]) -> dict[str, Depth]:
        """Depth of a moment with the faults injected."""
        wanted = list(contracts)
        found = self._market.depths_at(at, wanted)
        return self._inject_depth(found, self._market.quotes_at(at, wanted))

    def views(self, keys: Iterable[str]) -> dict[str, View]:
        """Views with the faults injected."""
        found = self._market.views(keys)
        if not self._faults.active(QUOTE_FAULTS):
            return found
        shown = {}
        for key, view in found.items():
            quote = self._inject(view.quote)
            if quote is view.quote:
                shown[key] = view
            elif quote is not None:
                depth = Depth.of_quote(quote)
                totals = (quote.bid_size, quote.ask_size)
                shown[key] = replace(
                    view, quote=quote, depth=depth, bid_total=totals[0], ask_total=totals[1]
                )
        return shown

    def columns(self, rows: Ints) -> QuoteColumns | None:
        """Columns with the faults injected."""
        found = self._market.columns(rows)
        if found is None or not self._faults.active(QUOTE_FAULTS):
            return found
        tables = {name: getattr(found, name).copy() for name in _SHOWN}
        listed = [self._market.listed[row] for row in np.asarray(rows).tolist()]
        quotes = self._market.quotes(item.instrument for item in listed)
        for at, item in enumerate(listed):
            before = quotes.get(item.instrument.key)
            after = self._inject(before) if before is not None else None
            if after is not before:
                for name in _SHOWN:
                    tables[name][at] = (getattr(after, name) or 0) if after else 0
        return replace(found, **tables)

    def _inject_all(self, found: dict[str, Quote]) -> dict[str, Quote]:
        if not self._faults.active(QUOTE_FAULTS):
            return found
        faulty = {key: self._inject(quote) for key, quote in found.items()}
        return {key: quote for key, quote in faulty.items() if quote is not None}

    def _inject_depth(self, depths: dict[str, Depth], quotes: dict[str, Quote]) -> dict[str, Depth]:
        if not self._faults.active(QUOTE_FAULTS):
            return depths
        shown = {}
        for key, depth in depths.items():
            before = quotes.get(key)
            after = self._inject(before) if before is not None else None
            if after is before:
                shown[key] = depth
            elif after is not None:
                shown[key] = Depth.of_quote(after)
        return shown

    def _inject(self, quote: Quote) -> Quote | None:
        """Quote with the active faults; ``None`` when it is not shown at all."""
        symbol = symbol_of(quote.key)
        kinds = {
            switch.kind
            for switch in self._faults.active(QUOTE_FAULTS)
            if switch.on in (ANY, quote.key, symbol)
        }
        if FaultKind.QUOTE_ABSENT in kinds:
            return None
        for kind in (FaultKind.QUOTE_STALE, FaultKind.STUCK_PARTIAL):
            if kind in kinds:
                quote = self._frozen.setdefault((quote.key, kind), quote)
            else:
                self._frozen.pop((quote.key, kind), None)
        if FaultKind.STUCK_PARTIAL in kinds:
            # one lot a side that is never refilled once taken
            lot = self._market.by_key(quote.key).instrument.lot_size
            sizes = min(quote.bid_size, lot), min(quote.ask_size, lot)
            quote = replace(quote, bid_size=sizes[0], ask_size=sizes[1])
        if FaultKind.QUOTE_ONE_SIDED in kinds:
            quote = replace(quote, bid=None, bid_size=0)
        if FaultKind.QUOTE_CROSSED in kinds:
            quote = replace(quote, bid=quote.ask, ask=quote.bid)
        return quote
