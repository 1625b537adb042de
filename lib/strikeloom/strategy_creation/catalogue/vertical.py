"""Two options of one right: a directional position with limited profit and loss."""

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.proposals import LegTemplate, Stance, StrategyTemplate, Tier
from strikeloom.domain.volatility import Regime

_ANY = frozenset(Regime)
_EXPENSIVE = frozenset({Regime.NORMAL, Regime.ELEVATED, Regime.HIGH})

VERTICAL = (
    StrategyTemplate(
        name="bull_put_spread",
        title="Bull put spread",
        family="vertical",
        legs=(
            LegTemplate(Side.SELL, Right.PUT, -0.6),
            LegTemplate(Side.BUY, Right.PUT, -1.2),
        ),
        outlooks=frozenset({Outlook.BULLISH, Outlook.NEUTRAL}),
        regimes=_EXPENSIVE,
        stance=Stance.LONG,
        tier=Tier.INCOME,
        exit_plan="credit",
    ),
    StrategyTemplate(
        name="bear_call_spread",
        title="Bear call spread",
        family="vertical",
        legs=(
            LegTemplate(Side.SELL, Right.CALL, 0.6),
            LegTemplate(Side.BUY, Right.CALL, 1.2),
        ),
        outlooks=frozenset({Outlook.BEARISH, Outlook.NEUTRAL}),
        regimes=_EXPENSIVE,
        stance=Stance.SHORT,
        tier=Tier.INCOME,
        exit_plan="credit",
    ),
    StrategyTemplate(
        name="bull_call_spread",
        title="Bull call spread",
        family="vertical",
        legs=(
            LegTemplate(Side.BUY, Right.CALL, 0.0),
            LegTemplate(Side.SELL, Right.CALL, 0.9),
        ),
        outlooks=frozenset({Outlook.BULLISH}),
        regimes=_ANY,
        stance=Stance.LONG,
        tier=Tier.MOMENTUM,
        exit_plan="debit",
    ),
    StrategyTemplate(
        name="bear_put_spread",
        title="Bear put spread",
        family="vertical",
        legs=(
            LegTemplate(Side.BUY, Right.PUT, 0.0),
            LegTemplate(Side.SELL, Right.PUT, -0.9),
        ),
        outlooks=frozenset({Outlook.BEARISH}),
        regimes=_ANY,
        stance=Stance.SHORT,
        tier=Tier.MOMENTUM,
        exit_plan="debit",
    ),
)
