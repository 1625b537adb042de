"""Options of a chain that can be legs, and what each is as a contract."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.domain.money import paise
from strikeloom.domain.outcomes import Rule
from strikeloom.errors import NotBuildable
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.delta import delta_to_strike
from strikeloom.strategy_creation.chain import Chain, ChainExpiry
from strikeloom.strategy_creation.contradictions import LeftOut, kept_closes, left_out

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Tradable(NamedTuple):
    """Tradable options of one right and expiry: rupees, closes, lots, lot sizes; ascending."""

    strike: Floats
    close: Floats
    lots: Ints
    lot_size: Ints


class PricedOption(NamedTuple):
    """An option with its close in paise and the lots that traded."""

    contract: OptionContract
    price: int
    lots: int


class TradableStrikes:
    """Options of a chain with enough volume that last traded in the closing half hour.

    An older price does not go with prices at the close: together they show profits that were
    never available. The exchange settles an option at its own close unless that is older. Of
    closes that contradict each other the fewest are left out (``contradictions``).

    Parameters
    ----------
    chain : Chain
    fewest : int
        Least volume of an option in lots.
    """

    def __init__(self, chain: Chain, fewest: int) -> None:
        self.chain = chain
        self.fewest = fewest
        self._by_right: dict[tuple[date, Right], Tradable] = {}
        self._left_out: dict[tuple[date, Right], tuple[LeftOut, ...]] = {}
        self._listed: dict[date, Floats] = {}
        self._by_delta: dict[tuple[date, Right, float], float] = {}
        self._options: dict[tuple[date, Right, int], PricedOption] = {}

    def of(self, expiry: ChainExpiry, right: Right) -> Tradable:
        """Tradable options of a right."""
        key = (expiry.expiry, right)
        if key not in self._by_right:
            rows = expiry.rows
            settle, close = rows["settle"].to_numpy(), rows["close"].to_numpy()
            with np.errstate(invalid="ignore"):
                keep = np.isnan(settle) | (settle == close)
            keep &= rows["lots_traded"].to_numpy() >= self.fewest
            keep &= rows["right"].to_numpy() == right.value
            order = np.flatnonzero(keep)
            order = order[np.argsort(rows["strike"].to_numpy()[order], kind="stable")]
            names = ("strike", "close", "lots_traded", "lot_size")
            shown = Tradable(*(rows[name].to_numpy()[order] for name in names))
            kept = kept_closes(shown.strike, shown.close, shown.lots, right)
            self._left_out[key] = left_out(shown.strike, shown.close, kept, right)
            self._by_right[key] = Tradable(
                shown.strike[kept], shown.close[kept], shown.lots[kept], shown.lot_size[kept]
            )
        return self._by_right[key]

    def left_out(self, expiry: ChainExpiry, right: Right) -> tuple[LeftOut, ...]:
        """Options of a right that would be tradable but for closes that contradict them."""
        self.of(expiry, right)
        return self._left_out[expiry.expiry, right]

    def listed(self, expiry: ChainExpiry) -> Floats:
        """Strikes at which an option of either right traded, ascending: what steps count."""
        if expiry.expiry not in self._listed:
            self._listed[expiry.expiry] = np.unique(expiry.rows["strike"].to_numpy())
        return self._listed[expiry.expiry]

    def of_delta(self, expiry: ChainExpiry, right: Right, size: float) -> float:
        """Strike in rupees at which an option has a delta of that size on the smile."""
        key = (expiry.expiry, right, size)
        if key not in self._by_delta:
            call = right is Right.CALL
            k = delta_to_strike(expiry.smile.curves, size if call else -size, call)
            self._by_delta[key] = float(expiry.forward * np.exp(k[0]))
        return self._by_delta[key]

    def know_delta(self, expiry: ChainExpiry, right: Right, size: float, strike: float) -> None:
        """Strike of a delta that was solved with many others."""
        self._by_delta[expiry.expiry, right, size] = strike

    def option(self, expiry: ChainExpiry, right: Right, place: int) -> PricedOption:
        """The tradable option of a place in ``of``.

        Raises
        ------
        NotBuildable
            When its lot size is unknown.
        """
        key = (expiry.expiry, right, place)
        if key not in self._options:
            shown = self.of(expiry, right)
            if shown.lot_size[place] <= 0:
                raise NotBuildable("the lot size is unknown", rule=Rule.LOT_SIZE)
            contract = OptionContract(
                symbol=self.chain.underlying.symbol,
                expiry=expiry.expiry,
                strike=paise(shown.strike[place], what="strike"),
                right=right,
                kind=self.chain.underlying.kind,
                lot_size=int(shown.lot_size[place]),
                tick=self.chain.tick,
            )
            price = paise(shown.close[place], what=f"close of {contract.label}")
            self._options[key] = PricedOption(contract, price, int(shown.lots[place]))
        return self._options[key]


def solve_deltas(many: Sequence[TradableStrikes], wanted: Collection[tuple[Right, float]]) -> None:
    """Strikes of deltas on every expiry of many chains, at once: ``of_delta`` knows them then."""
    each = [
        (strikes, expiry, right, size)
        for strikes in many
        for expiry in strikes.chain.expiries
        for right, size in wanted
    ]
    if not each:
        return
    columns = zip(*(expiry.smile.curves for _, expiry, _, _ in each), strict=True)
    call = np.array([right is Right.CALL for _, _, right, _ in each])
    size = np.array([size for *_, size in each])
    curves = Curves(*(np.concatenate(column) for column in columns))
    k = delta_to_strike(curves, np.where(call, size, -size), call)
    strike = np.array([expiry.forward for _, expiry, _, _ in each]) * np.exp(k)
    for (strikes, expiry, right, delta), found in zip(each, strike.tolist(), strict=True):
        strikes.know_delta(expiry, right, delta, found)
