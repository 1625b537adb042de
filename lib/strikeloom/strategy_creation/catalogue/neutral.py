"""Structures that profit when the underlying hardly moves."""

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.proposals import LegTemplate, Stance, StrategyTemplate, Tier
from strikeloom.domain.volatility import Regime

NEUTRAL = (
    StrategyTemplate(
        name="iron_condor",
        title="Iron condor",
        family="neutral",
        legs=(
            LegTemplate(Side.BUY, Right.PUT, -1.6),
            LegTemplate(Side.SELL, Right.PUT, -1.0),
            LegTemplate(Side.SELL, Right.CALL, 1.0),
            LegTemplate(Side.BUY, Right.CALL, 1.6),
        ),
        outlooks=frozenset({Outlook.NEUTRAL}),
        regimes=frozenset({Regime.NORMAL, Regime.ELEVATED, Regime.HIGH}),
        stance=Stance.FLAT,
        tier=Tier.INCOME,
        exit_plan="credit",
    ),
    StrategyTemplate(
        name="short_strangle",
        title="Short strangle",
        family="neutral",
        legs=(
            LegTemplate(Side.SELL, Right.PUT, -1.2),
            LegTemplate(Side.SELL, Right.CALL, 1.2),
        ),
        outlooks=frozenset({Outlook.NEUTRAL}),
        regimes=frozenset({Regime.ELEVATED, Regime.HIGH}),
        stance=Stance.FLAT,
        tier=Tier.VOLATILITY,
        exit_plan="undefined",
    ),
)
