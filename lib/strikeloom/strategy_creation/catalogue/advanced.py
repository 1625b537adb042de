"""Structures of unequal ratios, of two expiries, and of interest alone."""

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.selectors import FRONT, NEXT, Moves, Same, Steps, Width
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
from strikeloom.strategy_creation.catalogue.outlooks import (
    ANY_VIEW,
    BULLISH,
    NEUTRAL_VIEW,
    NOT_BEARISH,
)

CALL_RATIO_SPREAD = StrategyTemplate(
    name="call_ratio_spread",
    title="Call ratio spread",
    family=Family.ADVANCED,
    legs=(
        LegTemplate(Side.BUY, Right.CALL, Moves(0.0)),
        LegTemplate(Side.SELL, Right.CALL, Width(0, 0.8), ratio=2),
    ),
    outlooks=NOT_BEARISH,
    volatility=VolatilityUse.SELL,
    stance=Stance.LONG,
    tier=Tier.VOLATILITY,
    exit_plan="undefined",
)
CALL_LADDER = StrategyTemplate(
    name="call_ladder",
    title="Call ladder",
    family=Family.ADVANCED,
    legs=(
        LegTemplate(Side.BUY, Right.CALL, Moves(0.0)),
        LegTemplate(Side.SELL, Right.CALL, Width(0, 0.6)),
        LegTemplate(Side.SELL, Right.CALL, Width(1, 0.6)),
    ),
    outlooks=NOT_BEARISH,
    volatility=VolatilityUse.SELL,
    stance=Stance.LONG,
    tier=Tier.VOLATILITY,
    exit_plan="undefined",
)
CALL_CALENDAR = StrategyTemplate(
    name="call_calendar",
    title="Call calendar",
    family=Family.ADVANCED,
    legs=(
        LegTemplate(Side.SELL, Right.CALL, Moves(0.0), FRONT),
        LegTemplate(Side.BUY, Right.CALL, Same(0), NEXT),
    ),
    outlooks=NEUTRAL_VIEW,
    volatility=VolatilityUse.BUY,
    stance=Stance.FLAT,
    tier=Tier.VOLATILITY,
    exit_plan="calendar",
)
CALL_DIAGONAL = StrategyTemplate(
    name="call_diagonal",
    title="Call diagonal",
    family=Family.ADVANCED,
    legs=(
        LegTemplate(Side.SELL, Right.CALL, Moves(0.7), FRONT),
        LegTemplate(Side.BUY, Right.CALL, Moves(0.0), NEXT),
    ),
    outlooks=BULLISH,
    volatility=VolatilityUse.BUY,
    stance=Stance.LONG,
    tier=Tier.MOMENTUM,
    exit_plan="diagonal",
)
DOUBLE_CALENDAR = StrategyTemplate(
    name="double_calendar",
    title="Double calendar",
    family=Family.ADVANCED,
    legs=(
        LegTemplate(Side.SELL, Right.PUT, Moves(-0.6), FRONT),
        LegTemplate(Side.BUY, Right.PUT, Same(0), NEXT),
        LegTemplate(Side.SELL, Right.CALL, Moves(0.6), FRONT),
        LegTemplate(Side.BUY, Right.CALL, Same(2), NEXT),
    ),
    outlooks=NEUTRAL_VIEW,
    volatility=VolatilityUse.BUY,
    stance=Stance.FLAT,
    tier=Tier.VOLATILITY,
    exit_plan="calendar",
)
DOUBLE_DIAGONAL = StrategyTemplate(
    name="double_diagonal",
    title="Double diagonal",
    family=Family.ADVANCED,
    legs=(
        LegTemplate(Side.SELL, Right.PUT, Moves(-0.7), FRONT),
        LegTemplate(Side.BUY, Right.PUT, Width(0, -0.4), NEXT),
        LegTemplate(Side.SELL, Right.CALL, Moves(0.7), FRONT),
        LegTemplate(Side.BUY, Right.CALL, Width(2, 0.4), NEXT),
    ),
    outlooks=NEUTRAL_VIEW,
    volatility=VolatilityUse.EITHER,
    stance=Stance.FLAT,
    tier=Tier.VOLATILITY,
    exit_plan="diagonal",
)
BOX = StrategyTemplate(
    name="box",
    title="Box",
    family=Family.ADVANCED,
    legs=(
        LegTemplate(Side.BUY, Right.CALL, Steps(-2)),
        LegTemplate(Side.SELL, Right.PUT, Same(0)),
        LegTemplate(Side.SELL, Right.CALL, Steps(2)),
        LegTemplate(Side.BUY, Right.PUT, Same(2)),
    ),
    outlooks=ANY_VIEW,
    volatility=VolatilityUse.EITHER,
    stance=Stance.FLAT,
    tier=Tier.INCOME,
    exit_plan="held",
    purpose=StructurePurpose.FINANCE,
)

ADVANCED = (
    CALL_RATIO_SPREAD,
    mirrored(CALL_RATIO_SPREAD, name="put_ratio_spread", title="Put ratio spread"),
    CALL_LADDER,
    mirrored(CALL_LADDER, name="put_ladder", title="Put ladder"),
    CALL_CALENDAR,
    mirrored(CALL_CALENDAR, name="put_calendar", title="Put calendar"),
    CALL_DIAGONAL,
    mirrored(CALL_DIAGONAL, name="put_diagonal", title="Put diagonal"),
    DOUBLE_CALENDAR,
    DOUBLE_DIAGONAL,
    BOX,
    inverse(BOX, name="short_box", title="Short box"),
)
