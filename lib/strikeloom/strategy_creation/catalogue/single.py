"""One bought option: a directional position with limited loss and unlimited profit."""

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.proposals import LegTemplate, Stance, StrategyTemplate, Tier
from strikeloom.domain.volatility import Regime

_CHEAP = frozenset({Regime.LOW, Regime.NORMAL})

SINGLE = (
    StrategyTemplate(
        name="long_call",
        title="Long call",
        family="single",
        legs=(LegTemplate(Side.BUY, Right.CALL, 0.25),),
        outlooks=frozenset({Outlook.BULLISH}),
        regimes=_CHEAP,
        stance=Stance.LONG,
        tier=Tier.MOMENTUM,
        exit_plan="debit",
    ),
    StrategyTemplate(
        name="long_put",
        title="Long put",
        family="single",
        legs=(LegTemplate(Side.BUY, Right.PUT, -0.25),),
        outlooks=frozenset({Outlook.BEARISH}),
        regimes=_CHEAP,
        stance=Stance.SHORT,
        tier=Tier.MOMENTUM,
        exit_plan="debit",
    ),
)
