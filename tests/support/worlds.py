"""Markets made for a proof: one stock priced by a smile, whose real world is known, and its twin.

Everything is in memory. The real world of a market is any distribution function, which the search
is given in place of the forecast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from strikeloom.domain.instruments import InstrumentKind, Right, Share, Underlying
from strikeloom.domain.volatility import IvRank, Regime
from strikeloom.quant.black76 import price
from strikeloom.quant.candidates.contracts import Contracts, Horizons, value_tables
from strikeloom.quant.probability.past_moves import no_moves
from strikeloom.quant.smile.curves import Curves, volatility
from strikeloom.quant.smile.density import cdf
from strikeloom.quant.smile.fit import SmileKind, fit_smiles
from strikeloom.settings.all import load_settings
from strikeloom.strategy_creation.chain import Chain, ChainExpiry, Smile, UnderlyingQuote
from strikeloom.strategy_creation.contract_rows import ChainRows, chain_rows
from strikeloom.strategy_creation.flow import Flow
from strikeloom.strategy_creation.search import ChainSearch, prepare_search
from strikeloom.strategy_creation.tradable import TradableStrikes

Floats = NDArray[np.float64]
Cdf = Callable[[Floats], Floats]

SYMBOL, DAY, RATE = "WORLD", date(2026, 2, 10), 0.065
FORWARD, STEP, LOT, TICK = 1000.0, 10.0, 500, 5
DAYS, SESSIONS = (14, 49), (10, 35)


@dataclass(frozen=True)
class World:
    """A chain, and of each of its expiries the distribution by prices and in truth.

    ``twin`` is the market that it is the reflection of.
    """

    chain: Chain
    priced: tuple[Cdf, ...]
    real: tuple[Cdf, ...]
    twin: World | None = None


def skewed(
    vol: float, days: int, *, puts: float = 0.0, calls: float = 0.0, flat_calls: bool = False
) -> Curves:
    """A smile of a volatility at the money, with slopes of total variance for its wings.

    Slopes are in units of the variance by expected move. With ``flat_calls`` the volatility is
    that of the far calls instead, and puts are the dearer the farther below the forward.
    """
    years = days / 365
    w, width = vol * vol * years, vol * np.sqrt(years)
    # a wing has half its slope times its width at its centre
    level = w if flat_calls else w - 0.5 * w * (puts + calls)
    left, right = np.array([w * puts / width]), np.array([w * calls / width])
    at, wide = np.array([0.0]), np.array([width])
    return Curves(np.array([level]), left, right, at, wide, at, wide)


def of_curves(curves: Curves) -> Cdf:
    """Distribution function of the price that a smile implies."""
    return lambda x: cdf(curves, np.log(np.maximum(x, 1e-9) / FORWARD))


def world(
    smiles: Sequence[Curves],
    real: Sequence[Curves],
    *,
    quoted: Sequence[Curves] | None = None,
    busy: int = 3_000,
) -> World:
    """A market of calls and puts by smiles, with volumes that fall away from the forward.

    ``quoted`` are the smiles that options are priced by where that is another than the one to which
    prices return, which the stage knows.
    """
    expiries = tuple(
        _expiry(days, sessions, curves, asked, truth, busy)
        for days, sessions, curves, asked, truth in zip(
            DAYS, SESSIONS, smiles, quoted or smiles, real, strict=True
        )
    )
    return World(
        _chain(expiries), tuple(map(of_curves, smiles)), tuple(map(of_curves, real))
    )  # fmt: skip


def reflected(whole: World) -> World:
    """The twin about the forward: a call of a strike is its put, and both densities turn round."""
    expiries = tuple(_turned(expiry) for expiry in whole.chain.expiries)
    return World(
        replace(whole.chain, expiries=expiries),
        tuple(_turned_cdf(one) for one in whole.priced),
        tuple(_turned_cdf(one) for one in whole.real),
        whole,
    )


def enter(patch: pytest.MonkeyPatch, whole: World) -> None:
    """Let every search of the market use its two distributions, and know its closes as well.

    A close of a reflected market is as far off, in rupees, as that of its twin.
    """

    def prepared(*args: object) -> ChainSearch:
        made = prepare_search(*args)  # type: ignore[arg-type]
        contracts = made.rows.contracts
        if whole.twin:
            theirs = rows_of(whole.twin).contracts
            errors = dict(zip(options(theirs), theirs.price_error, strict=True))
            own = zip(options(contracts, turned=True), contracts.price_error, strict=True)
            error = np.array([errors.get(option, known) for option, known in own])
            contracts = contracts._replace(price_error=error)
        horizons = horizons_of(whole, made.rows.horizons)
        return replace(made, tables=value_tables(contracts, horizons))

    patch.setattr(import_module("strikeloom.strategy_creation.build"), "prepare_search", prepared)


def horizons_of(whole: World, horizons: Horizons) -> Horizons:
    """Horizons of a market's rows with its two distributions; the truth has no error."""
    nodes = horizons.densities.nodes
    found = np.stack(
        [
            np.stack([one(row) for one, row in zip(each, nodes, strict=True)])
            for each in (whole.priced, whole.real)
        ]
    )
    densities = horizons.densities._replace(cdf=np.clip(found, 0.0, 1.0))
    real = densities.cdf[1]
    moved = densities._replace(cdf=np.stack([real, real]))
    return horizons._replace(densities=densities, moved=moved)


def rows_of(whole: World) -> ChainRows:
    """Rows of a market's chain."""
    fewest = load_settings().creation.min_lots_traded
    return chain_rows(TradableStrikes(whole.chain, fewest), RATE)


Option = tuple[int, float, float, bool]


def options(contracts: Contracts, *, turned: bool = False) -> list[Option]:
    """Horizon, years, strike and right of each contract, or of its reflection."""
    strike = 2 * FORWARD - contracts.strike if turned else contracts.strike
    call = contracts.is_call != turned
    columns = contracts.horizon, contracts.years.round(6), strike.round(2), call
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _turned_cdf(one: Cdf) -> Cdf:
    return lambda x: 1.0 - np.where(x < 2 * FORWARD, one(np.maximum(2 * FORWARD - x, 1e-6)), 0.0)


def _turned(expiry: ChainExpiry) -> ChainExpiry:
    rows = expiry.rows.assign(
        strike=2 * FORWARD - expiry.rows["strike"],
        right=expiry.rows["right"].map({"CE": "PE", "PE": "CE"}),
    ).sort_values(["right", "strike"], ignore_index=True)
    curves = _fitted(rows, expiry.years)
    return replace(expiry, rows=rows, smile=Smile(curves, SmileKind.FULL, len(rows), 0.0))


def _fitted(rows: pd.DataFrame, years: float) -> Curves:
    """Smile of the prices out of the money, which are those of the twin in the money."""
    strike, close = rows["strike"].to_numpy(), rows["close"].to_numpy()
    call = (rows["right"] == "CE").to_numpy()
    outside = np.where(call, strike >= FORWARD, strike < FORWARD) & (close >= 0.5)
    strike, close, call = strike[outside], close[outside], call[outside]
    low, high = np.full(len(strike), 0.01), np.full(len(strike), 2.0)
    for _ in range(60):
        vol = 0.5 * (low + high)
        below = price(FORWARD, strike, years, vol, call, np.exp(-RATE * years)) < close
        low, high = np.where(below, vol, low), np.where(below, high, vol)
    k = np.log(strike / FORWARD)
    weight = norm.pdf(k / (0.3 * np.sqrt(years))) + 1e-3
    one = np.zeros(len(k), dtype=np.int64)
    fit = fit_smiles(k, vol * vol * years, weight, one, np.array([years]), np.array([0]))
    return fit.curves


def _expiry(
    days: int, sessions: int, curves: Curves, quoted: Curves, truth: Curves, busy: int
) -> ChainExpiry:
    years = days / 365
    strikes = FORWARD + STEP * np.arange(-40, 41)
    vol = volatility(quoted, np.log(strikes / FORWARD), years)
    discount = np.exp(-RATE * years)
    calls, puts = (price(FORWARD, strikes, years, vol, side, discount) for side in (True, False))
    close = np.round(np.concatenate((calls, puts)) / 0.05) * 0.05
    away = (strikes - FORWARD) / FORWARD
    traded = busy * np.exp(-np.abs(away) / 0.06)
    lots = np.concatenate((traded * (1 + away), traded * (1 - 0.5 * away))).astype(np.int64)
    rows = pd.DataFrame(
        {
            "strike": np.tile(strikes, 2),
            "right": np.repeat([Right.CALL.value, Right.PUT.value], len(strikes)),
            "close": close,
            "settle": close,
            "lots_traded": lots,
            "lot_size": LOT,
        }
    )
    at_money = volatility(curves, np.array([0.0]), years)[0]
    true = volatility(truth, np.array([0.0]), years)[0]
    return ChainExpiry(
        expiry=DAY + timedelta(days=days),
        years=years,
        calendar=years,
        forward=FORWARD,
        atm_iv=float(at_money),
        rows=rows[rows["close"] > 0].reset_index(drop=True),
        smile=Smile(curves, SmileKind.FULL, len(rows), 0.0),
        forecast=float(true * true * years),
        past=no_moves(sessions),
        underlying=UnderlyingQuote(Share(SYMBOL, TICK), FORWARD * discount, 0.0, None),
    )


def _chain(expiries: tuple[ChainExpiry, ...]) -> Chain:
    return Chain(
        underlying=Underlying(SYMBOL, InstrumentKind.STOCK, "made"),
        day=DAY,
        spot=FORWARD,
        rank=IvRank(SYMBOL, DAY, expiries[0].atm_iv, 50.0, 50.0, Regime.NORMAL, 21, 20, 20),
        expiries=expiries,
        next=expiries[1].expiry,
        monthly=expiries[0].expiry,
        missing={},
        flow=Flow(1.0, 1.0, 1.0, 1.0, 1100.0, 900.0, FORWARD),
        tick=TICK,
    )
