"""A chain at which templates are shown: one stock at 100, a strike each rupee, one volatility.

Nothing is traded on it. What depends on prices (credit or debit, limits, breakevens, stance) is
read from structures built on it as on any other chain.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import numpy as np

from strikeloom.domain.instruments import InstrumentKind, Right, Share, Underlying
from strikeloom.domain.market import MarketView, Outlook
from strikeloom.domain.templates import StrategyTemplate
from strikeloom.domain.volatility import IvRank, Regime
from strikeloom.quant.black76 import price
from strikeloom.quant.probability.past_moves import no_moves
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.fit import SmileKind
from strikeloom.strategy_creation.chain import Chain, ChainExpiry, Smile, UnderlyingQuote
from strikeloom.strategy_creation.flow import Flow
from strikeloom.strategy_creation.strikes import choose
from strikeloom.strategy_creation.structure import Structure, structure_of
from strikeloom.strategy_creation.tradable import TradableStrikes

SYMBOL, LOT, LEVEL, VOL = "MODEL", 100, 100.0, 0.32
_DAY = date(2026, 2, 10)
_DAYS = (28, 63)  # to the front and the next expiry
_STRIKES = np.arange(50.0, 151.0)
_TICK = 5


def model_structure(template: StrategyTemplate) -> Structure:
    """The template with its legs chosen on the model chain."""
    strikes = _tradable()
    view = MarketView(SYMBOL, _DAY, Outlook.NEUTRAL, 0.0, ())
    return structure_of(template, view, strikes, choose(template, strikes))


@cache
def _tradable() -> TradableStrikes:
    return TradableStrikes(model_chain(), fewest=1)


def model_chain() -> Chain:
    """The chain, without interest: forwards equal the level."""
    expiries = tuple(_expiry(days) for days in _DAYS)
    rank = IvRank(SYMBOL, _DAY, VOL, 50.0, 50.0, Regime.NORMAL, 21, 20, 20)
    return Chain(
        underlying=Underlying(SYMBOL, InstrumentKind.STOCK, "model"),
        day=_DAY,
        spot=LEVEL,
        rank=rank,
        expiries=expiries,
        next=expiries[1].expiry,
        monthly=expiries[0].expiry,
        missing={},
        flow=Flow(1.0, 1.0, 1.0, 1.0, 110.0, 90.0, LEVEL),
        tick=_TICK,
    )


def _expiry(days: int) -> ChainExpiry:
    import pandas as pd

    years = days / 365
    calls = price(LEVEL, _STRIKES, years, VOL, True)
    puts = price(LEVEL, _STRIKES, years, VOL, False)
    close = np.round(np.concatenate((calls, puts)), 2)
    rows = pd.DataFrame(
        {
            "strike": np.tile(_STRIKES, 2),
            "right": np.repeat([Right.CALL.value, Right.PUT.value], len(_STRIKES)),
            "close": close,
            "settle": close,
            "lots_traded": 1000,
            "lot_size": LOT,
        }
    )
    variance = VOL * VOL * years
    return ChainExpiry(
        expiry=_DAY + timedelta(days=days),
        years=years,
        calendar=years,
        forward=LEVEL,
        atm_iv=VOL,
        rows=rows[rows["close"] > 0],
        smile=Smile(Curves.flat([variance]), SmileKind.FULL, len(rows), 0.0),
        forecast=variance,
        past=no_moves(days),
        underlying=UnderlyingQuote(Share(SYMBOL, _TICK), LEVEL, 0.0, None),
    )
