"""Contracts of chains as rows, on which a search counts: what they cost, and how sure it is.

A chain has a horizon for each of its expiries; an option is a row of its own expiry's horizon and
of every earlier one, where it is a later leg.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import FutureContract, InstrumentKind, Right
from strikeloom.domain.money import rupees
from strikeloom.nse.charges import Segment
from strikeloom.quant.black76 import greeks
from strikeloom.quant.candidates.contracts import Contracts, Horizons
from strikeloom.quant.candidates.densities import Densities, price_nodes
from strikeloom.quant.candidates.strike_table import StrikeList
from strikeloom.quant.quoted_width import BUSY_LOTS
from strikeloom.quant.smile.curves import Curves, volatility
from strikeloom.quant.smile.density import cdf
from strikeloom.risk.candidates import FUTURE, OPTION, SHARE, ContractTable
from strikeloom.strategy_creation.basis import basis_of, ends_later
from strikeloom.strategy_creation.chain import Chain, ChainExpiry
from strikeloom.strategy_creation.costs import ContractCosts, contract_costs, price_error
from strikeloom.strategy_creation.real_world import expiry_densities
from strikeloom.strategy_creation.tradable import Tradable, TradableStrikes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Expected moves from the forward within which strikes are searched, beyond what selectors reach.
_FARTHEST = 3.5
_FORWARD_TICK = 0.05

ListName = tuple[date, date, Right | None]


@dataclass(frozen=True)
class ChainRows:
    """Rows of one chain.

    Attributes
    ----------
    lists : dict
        Strikes by horizon, expiry and right; the underlying has no right and its horizon's expiry.
        Their rows are of this chain, from 0.
    place : ndarray of int64, shape (r,)
        Of the option in ``TradableStrikes.of``; -1 of the underlying.
    lot : ndarray, shape (r,)
        Units a lot of the option; 0 of the underlying, which follows the options beside it.
    cash : ndarray, shape (r,)
        Rupees that a unit bought pays today; 0 of a future.
    contracts, horizons : Contracts, Horizons
        Horizons from 0.
    table : ContractTable
        The same rows for margins.
    """

    chain: Chain
    lists: dict[ListName, StrikeList]
    place: Ints
    lot: Floats
    cash: Floats
    contracts: Contracts
    horizons: Horizons
    table: ContractTable


class _Block(NamedTuple):
    """Rows of one right and expiry at one horizon, or of the underlying; shape (k,).

    ``agreed`` is what payoffs compare with the price at the horizon, ``worth`` that in today's
    money by the forward, ``apart`` their difference (``basis``); margins are of ``margin_forward``
    and ``margin_years``, the contract's own.
    """

    name: ListName
    strike: Floats
    price: Floats
    lots: Ints
    place: Ints
    lot: Floats
    kind: int
    is_call: bool
    years: float
    forward: float
    calendar: float
    curves: Curves
    horizon: int
    agreed: Floats
    worth: Floats
    apart: float
    margin_forward: float
    margin_years: float


def chain_rows(strikes: TradableStrikes, rate: float) -> ChainRows:
    """Rows of a chain.

    Parameters
    ----------
    rate : float
        Interest a year, continuously compounded.
    """
    chain = strikes.chain
    blocks: list[_Block] = []
    for number, horizon in enumerate(chain.expiries):
        for expiry in chain.expiries[number:]:
            blocks += [_options(strikes, horizon, expiry, right, number) for right in Right]
        if horizon.underlying is not None:
            blocks.append(_underlying(horizon, number, rate))
    return _joined(chain, blocks, rate)


def _options(
    strikes: TradableStrikes, horizon: ChainExpiry, expiry: ChainExpiry, right: Right, number: int
) -> _Block:
    shown: Tradable = strikes.of(expiry, right)
    near = np.abs(shown.strike / expiry.forward - 1) <= _FARTHEST * expiry.deviation
    place = np.flatnonzero(near & (shown.lot_size > 0))
    close = shown.close[place].astype(np.float64)
    return _Block(
        (horizon.expiry, expiry.expiry, right),
        shown.strike[place].astype(np.float64),
        close,
        shown.lots[place].astype(np.int64),
        place,
        shown.lot_size[place].astype(np.float64),
        OPTION,
        right is Right.CALL,
        expiry.years,
        expiry.forward,
        expiry.calendar,
        expiry.smile.curves,
        number,
        close,
        close,
        0.0,
        expiry.forward,
        expiry.years,
    )


def _underlying(horizon: ChainExpiry, number: int, rate: float) -> _Block:
    quote = horizon.underlying
    assert quote is not None  # noqa: S101 (the caller has looked)
    future = isinstance(quote.instrument, FutureContract)
    later = future and ends_later(quote.years, horizon.calendar)
    worth = horizon.forward * np.exp(-rate * horizon.calendar)
    # its own years, as its options count them
    years = horizon.years * (quote.years / horizon.calendar) if later else horizon.years
    return _Block(
        (horizon.expiry, horizon.expiry, None),
        np.zeros(1),
        np.array([quote.price]),
        np.array([BUSY_LOTS if quote.lots is None else quote.lots]),
        np.array([-1]),
        np.zeros(1),
        FUTURE if future else SHARE,
        True,
        horizon.years,
        horizon.forward,
        horizon.calendar,
        Curves.flat([np.nan]),
        number,
        np.array([horizon.forward if later else quote.price]),
        np.array([worth]),
        basis_of(horizon, rate),
        quote.price if future else horizon.forward,
        years if future else 0.0,
    )


def _joined(chain: Chain, blocks: Sequence[_Block], rate: float) -> ChainRows:
    sizes = [len(block.strike) for block in blocks]
    ends = np.cumsum(sizes)

    def spread(name: str) -> Floats:
        return np.repeat([float(getattr(block, name)) for block in blocks], sizes)

    strike, price, lots, place, lot, agreed, worth = (
        np.concatenate([getattr(block, name) for block in blocks])
        for name in ("strike", "price", "lots", "place", "lot", "agreed", "worth")
    )
    kind = spread("kind").astype(np.int64)
    years, forward, calendar = spread("years"), spread("forward"), spread("calendar")
    is_call, law = spread("is_call") > 0, spread("horizon").astype(np.int64)
    each = zip(*(block.curves for block in blocks), strict=True)
    curves = Curves(*(np.repeat(np.concatenate(part), sizes) for part in each))
    discount = np.exp(-rate * calendar)
    option = kind == OPTION
    with np.errstate(divide="ignore", invalid="ignore"):
        vol = volatility(curves, np.log(np.where(option, strike, np.nan) / forward), years)
    vega = greeks(forward, np.where(option, strike, np.nan), years, vol, is_call, discount).vega
    tick = np.where(option, rupees(chain.tick), _FORWARD_TICK)
    costs = _costs(chain, kind, price, lots)
    horizons = _horizons(chain, rate)
    error = np.hypot(tick / np.sqrt(12), spread("apart"))
    contracts = Contracts(
        strike, is_call, years, forward, discount, curves, law, worth,
        np.where(option, price_error(np.nan_to_num(vega), lots, tick), error),
        costs.width + costs.charges, costs.width + costs.charges, costs.order, agreed,
    )  # fmt: skip
    first = ends - sizes
    lists = {
        block.name: StrikeList(
            np.arange(start, start + len(block.strike)),
            block.strike,
            block.forward,
            chain.by_date[block.name[1]].deviation,
        )
        for block, start in zip(blocks, first.tolist(), strict=True)
    }
    at_money = np.array([expiry.atm_iv for expiry in chain.expiries])[law]
    table = ContractTable(
        kind,
        np.where(option, strike, 0.0),
        is_call,
        spread("margin_forward"),
        np.where(np.isfinite(vol), vol, at_money),
        spread("margin_years"),
        np.where(option, price, np.nan),
    )
    cash = np.where(kind == FUTURE, 0.0, price)
    return ChainRows(chain, lists, place, lot, cash, contracts, horizons, table)


def _costs(chain: Chain, kind: Ints, price: Floats, lots: Ints) -> ContractCosts:
    is_index = np.full(len(kind), chain.underlying.kind is InstrumentKind.INDEX)
    found = ContractCosts(*np.zeros((3, len(kind))))
    for number, segment in (
        (OPTION, Segment.OPTION),
        (FUTURE, Segment.FUTURE),
        (SHARE, Segment.DELIVERY),
    ):
        mine = kind == number
        if mine.any():
            part = contract_costs(price[mine], lots[mine], segment, is_index[mine], chain.day)
            for whole, own in zip(found, part, strict=True):
                whole[mine] = own
    return found


def _horizons(chain: Chain, rate: float) -> Horizons:
    expiries = chain.expiries
    forward = np.array([expiry.forward for expiry in expiries])
    years = np.array([expiry.years for expiry in expiries])
    parts = zip(*(expiry.smile.curves for expiry in expiries), strict=True)
    smiles = Curves(*(np.concatenate(part) for part in parts))
    nodes = price_nodes(forward, np.array([expiry.deviation for expiry in expiries]))
    k = np.log(nodes / forward[:, None])
    rows = np.arange(len(expiries))[:, None]
    # as it is, and with its width one error narrower and wider
    named = [(expiry, chain.underlying.kind) for expiry in expiries]
    real = expiry_densities(named * 3, np.repeat([0.0, -1.0, 1.0], len(expiries)))
    each = real.pick(np.arange(3 * len(expiries))[:, None]).cdf(np.tile(k, (3, 1)))
    known, *moved = each.reshape(3, *k.shape)
    means = np.stack((forward, forward))
    densities = Densities(nodes, np.stack((cdf(smiles.pick(rows), k), known)), means)
    discount = np.exp(-rate * np.array([expiry.calendar for expiry in expiries]))
    spot = np.full(len(expiries), chain.spot)
    other = Densities(nodes, np.stack(moved), means)
    return Horizons(spot, forward, years, discount, years, densities, other)
