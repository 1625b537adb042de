"""Structures that need a rise or a fall."""

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.selectors import Delta, Moves, Same
from strikeloom.domain.templates import (
    Family,
    LegTemplate,
    Stance,
    StrategyTemplate,
    StructurePurpose,
    Tier,
    VolatilityUse,
    inverse,
    mirrored,
)
from strikeloom.strategy_creation.catalogue.outlooks import BULLISH, NOT_BEARISH, NOT_BULLISH

LONG_CALL = StrategyTemplate(
    name="long_call",
    title="Long call",
    family=Family.DIRECTIONAL,
    legs=(LegTemplate(Side.BUY, Right.CALL, Moves(0.25)),),
    outlooks=BULLISH,
    volatility=VolatilityUse.BUY,
    stance=Stance.LONG,
    tier=Tier.MOMENTUM,
    exit_plan="debit",
)
SHORT_CALL = StrategyTemplate(
    name="short_call",
    title="Short call",
    family=Family.DIRECTIONAL,
    legs=(LegTemplate(Side.SELL, Right.CALL, Delta(0.25)),),
    outlooks=NOT_BULLISH,
    volatility=VolatilityUse.SELL,
    stance=Stance.SHORT,
    tier=Tier.INCOME,
    exit_plan="undefined",
)
BULL_CALL_SPREAD = StrategyTemplate(
    name="bull_call_spread",
    title="Bull call spread",
    family=Family.DIRECTIONAL,
    legs=(
        LegTemplate(Side.BUY, Right.CALL, Moves(0.0)),
        LegTemplate(Side.SELL, Right.CALL, Moves(0.9)),
    ),
    outlooks=BULLISH,
    volatility=VolatilityUse.EITHER,
    stance=Stance.LONG,
    tier=Tier.MOMENTUM,
    exit_plan="debit",
)
BULL_PUT_SPREAD = StrategyTemplate(
    name="bull_put_spread",
    title="Bull put spread",
    family=Family.DIRECTIONAL,
    legs=(
        LegTemplate(Side.SELL, Right.PUT, Moves(-0.6)),
        LegTemplate(Side.BUY, Right.PUT, Moves(-1.2)),
    ),
    outlooks=NOT_BEARISH,
    volatility=VolatilityUse.SELL,
    stance=Stance.LONG,
    tier=Tier.INCOME,
    exit_plan="credit",
)
RISK_REVERSAL = StrategyTemplate(
    name="risk_reversal",
    title="Risk reversal",
    family=Family.DIRECTIONAL,
    legs=(
        LegTemplate(Side.SELL, Right.PUT, Delta(0.25)),
        LegTemplate(Side.BUY, Right.CALL, Delta(0.25)),
    ),
    outlooks=BULLISH,
    volatility=VolatilityUse.EITHER,
    stance=Stance.LONG,
    tier=Tier.MOMENTUM,
    exit_plan="undefined",
)
SYNTHETIC_LONG = StrategyTemplate(
    name="synthetic_long",
    title="Synthetic long",
    family=Family.DIRECTIONAL,
    legs=(
        LegTemplate(Side.BUY, Right.CALL, Moves(0.0)),
        LegTemplate(Side.SELL, Right.PUT, Same(0)),
    ),
    outlooks=BULLISH,
    volatility=VolatilityUse.EITHER,
    stance=Stance.LONG,
    tier=Tier.MOMENTUM,
    exit_plan="held",
    purpose=StructurePurpose.FINANCE,
)

DIRECTIONAL = (
    LONG_CALL,
    mirrored(LONG_CALL, name="long_put", title="Long put"),
    SHORT_CALL,
    mirrored(SHORT_CALL, name="short_put", title="Short put"),
    BULL_CALL_SPREAD,
    mirrored(BULL_CALL_SPREAD, name="bear_put_spread", title="Bear put spread"),
    BULL_PUT_SPREAD,
    mirrored(BULL_PUT_SPREAD, name="bear_call_spread", title="Bear call spread"),
    RISK_REVERSAL,
    inverse(RISK_REVERSAL, name="bearish_risk_reversal", title="Bearish risk reversal"),
    SYNTHETIC_LONG,
    inverse(SYNTHETIC_LONG, name="synthetic_short", title="Synthetic short"),
)
