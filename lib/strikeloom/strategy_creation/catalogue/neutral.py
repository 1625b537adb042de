"""Structures that profit when the underlying hardly moves."""

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.selectors import Delta, Moves, Reflection, Same, Width
from strikeloom.domain.templates import (
    Family,
    LegTemplate,
    Stance,
    StrategyTemplate,
    Tier,
    VolatilityUse,
    mirrored,
)
from strikeloom.strategy_creation.catalogue.outlooks import (
    NEUTRAL_VIEW,
    NOT_BEARISH,
    NOT_BULLISH,
)

IRON_CONDOR = StrategyTemplate(
    name="iron_condor",
    title="Iron condor",
    family=Family.NEUTRAL,
    legs=(
        LegTemplate(Side.BUY, Right.PUT, Moves(-1.6)),
        LegTemplate(Side.SELL, Right.PUT, Moves(-1.0)),
        LegTemplate(Side.SELL, Right.CALL, Moves(1.0)),
        LegTemplate(Side.BUY, Right.CALL, Moves(1.6)),
    ),
    outlooks=NEUTRAL_VIEW,
    volatility=VolatilityUse.SELL,
    stance=Stance.FLAT,
    tier=Tier.INCOME,
    exit_plan="credit",
)
IRON_BUTTERFLY = StrategyTemplate(
    name="iron_butterfly",
    title="Iron butterfly",
    family=Family.NEUTRAL,
    legs=(
        LegTemplate(Side.SELL, Right.CALL, Moves(0.0)),
        LegTemplate(Side.SELL, Right.PUT, Same(0)),
        LegTemplate(Side.BUY, Right.PUT, Width(0, -1.0)),
        LegTemplate(Side.BUY, Right.CALL, Reflection(2, about=0)),
    ),
    outlooks=NEUTRAL_VIEW,
    volatility=VolatilityUse.SELL,
    stance=Stance.FLAT,
    tier=Tier.INCOME,
    exit_plan="credit",
)
CALL_BUTTERFLY = StrategyTemplate(
    name="call_butterfly",
    title="Call butterfly",
    family=Family.NEUTRAL,
    legs=(
        LegTemplate(Side.SELL, Right.CALL, Moves(0.0), ratio=2),
        LegTemplate(Side.BUY, Right.CALL, Width(0, -0.8)),
        LegTemplate(Side.BUY, Right.CALL, Reflection(1, about=0)),
    ),
    outlooks=NEUTRAL_VIEW,
    volatility=VolatilityUse.SELL,
    stance=Stance.FLAT,
    tier=Tier.INCOME,
    exit_plan="debit",
)
CALL_CONDOR = StrategyTemplate(
    name="call_condor",
    title="Call condor",
    family=Family.NEUTRAL,
    legs=(
        LegTemplate(Side.BUY, Right.CALL, Moves(-1.4)),
        LegTemplate(Side.SELL, Right.CALL, Moves(-0.7)),
        LegTemplate(Side.SELL, Right.CALL, Moves(0.7)),
        LegTemplate(Side.BUY, Right.CALL, Moves(1.4)),
    ),
    outlooks=NEUTRAL_VIEW,
    volatility=VolatilityUse.SELL,
    stance=Stance.FLAT,
    tier=Tier.INCOME,
    exit_plan="debit",
)
BROKEN_WING_CALL_BUTTERFLY = StrategyTemplate(
    name="broken_wing_call_butterfly",
    title="Broken-wing call butterfly",
    family=Family.NEUTRAL,
    legs=(
        LegTemplate(Side.BUY, Right.CALL, Moves(0.2)),
        LegTemplate(Side.SELL, Right.CALL, Width(0, 0.3), ratio=2),
        LegTemplate(Side.BUY, Right.CALL, Width(1, 0.8, wider_than=(0, 1))),
    ),
    outlooks=NOT_BULLISH,
    volatility=VolatilityUse.SELL,
    stance=Stance.SHORT,
    tier=Tier.INCOME,
    exit_plan="credit",
)
BROKEN_WING_IRON_CONDOR = StrategyTemplate(
    name="broken_wing_iron_condor",
    title="Broken-wing iron condor",
    family=Family.NEUTRAL,
    legs=(
        LegTemplate(Side.SELL, Right.PUT, Moves(-0.8)),
        LegTemplate(Side.BUY, Right.PUT, Width(0, -1.0)),
        LegTemplate(Side.SELL, Right.CALL, Moves(1.0)),
        LegTemplate(Side.BUY, Right.CALL, Width(2, 0.45, narrower_than=(0, 1))),
    ),
    outlooks=NOT_BEARISH,
    volatility=VolatilityUse.SELL,
    stance=Stance.LONG,
    tier=Tier.INCOME,
    exit_plan="credit",
)
SHORT_STRADDLE = StrategyTemplate(
    name="short_straddle",
    title="Short straddle",
    family=Family.NEUTRAL,
    legs=(
        LegTemplate(Side.SELL, Right.CALL, Moves(0.0)),
        LegTemplate(Side.SELL, Right.PUT, Same(0)),
    ),
    outlooks=NEUTRAL_VIEW,
    volatility=VolatilityUse.SELL,
    stance=Stance.FLAT,
    tier=Tier.VOLATILITY,
    exit_plan="undefined",
)
SHORT_STRANGLE = StrategyTemplate(
    name="short_strangle",
    title="Short strangle",
    family=Family.NEUTRAL,
    legs=(
        LegTemplate(Side.SELL, Right.PUT, Moves(-1.2)),
        LegTemplate(Side.SELL, Right.CALL, Moves(1.2)),
    ),
    outlooks=NEUTRAL_VIEW,
    volatility=VolatilityUse.SELL,
    stance=Stance.FLAT,
    tier=Tier.VOLATILITY,
    exit_plan="undefined",
)
SHORT_GUTS = StrategyTemplate(
    name="short_guts",
    title="Short guts",
    family=Family.NEUTRAL,
    legs=(
        LegTemplate(Side.SELL, Right.CALL, Moves(-0.5)),
        LegTemplate(Side.SELL, Right.PUT, Moves(0.5)),
    ),
    outlooks=NEUTRAL_VIEW,
    volatility=VolatilityUse.SELL,
    stance=Stance.FLAT,
    tier=Tier.VOLATILITY,
    exit_plan="undefined",
)
JADE_LIZARD = StrategyTemplate(
    name="jade_lizard",
    title="Jade lizard",
    family=Family.NEUTRAL,
    legs=(
        LegTemplate(Side.SELL, Right.PUT, Delta(0.25)),
        LegTemplate(Side.SELL, Right.CALL, Delta(0.25)),
        LegTemplate(Side.BUY, Right.CALL, Width(1, 0.3)),
    ),
    outlooks=NOT_BEARISH,
    volatility=VolatilityUse.SELL,
    stance=Stance.LONG,
    tier=Tier.INCOME,
    exit_plan="guarded",
)
CALL_CHRISTMAS_TREE = StrategyTemplate(
    name="call_christmas_tree",
    title="Call Christmas tree",
    family=Family.NEUTRAL,
    legs=(
        LegTemplate(Side.BUY, Right.CALL, Moves(0.0)),
        LegTemplate(Side.SELL, Right.CALL, Width(0, 1.0), ratio=3),
        LegTemplate(Side.BUY, Right.CALL, Width(1, 0.5, narrower_than=(0, 1)), ratio=2),
    ),
    outlooks=NOT_BEARISH,
    volatility=VolatilityUse.SELL,
    stance=Stance.LONG,
    tier=Tier.INCOME,
    exit_plan="debit",
)

NEUTRAL = (
    IRON_CONDOR,
    IRON_BUTTERFLY,
    CALL_BUTTERFLY,
    mirrored(CALL_BUTTERFLY, name="put_butterfly", title="Put butterfly"),
    CALL_CONDOR,
    mirrored(CALL_CONDOR, name="put_condor", title="Put condor"),
    BROKEN_WING_CALL_BUTTERFLY,
    mirrored(
        BROKEN_WING_CALL_BUTTERFLY,
        name="broken_wing_put_butterfly",
        title="Broken-wing put butterfly",
    ),
    BROKEN_WING_IRON_CONDOR,
    mirrored(
        BROKEN_WING_IRON_CONDOR,
        name="bearish_broken_wing_iron_condor",
        title="Bearish broken-wing iron condor",
    ),
    SHORT_STRADDLE,
    SHORT_STRANGLE,
    SHORT_GUTS,
    JADE_LIZARD,
    mirrored(JADE_LIZARD, name="reverse_jade_lizard", title="Reverse jade lizard"),
    CALL_CHRISTMAS_TREE,
    mirrored(CALL_CHRISTMAS_TREE, name="put_christmas_tree", title="Put Christmas tree"),
)
