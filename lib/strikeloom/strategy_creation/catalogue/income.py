"""Structures around the underlying itself: premium against shares or futures, and their hedges.

With an index future the options are the monthly ones, which end with it.
"""

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.selectors import FRONT, MONTHLY, NEXT, Delta
from strikeloom.domain.templates import (
    Family,
    LegTemplate,
    Stance,
    StrategyTemplate,
    StructurePurpose,
    Tier,
    VolatilityUse,
    underlying_leg,
)
from strikeloom.strategy_creation.catalogue.outlooks import ANY_VIEW, BULLISH, NOT_BEARISH

_HELD = underlying_leg(Side.BUY, MONTHLY)

INCOME = (
    StrategyTemplate(
        name="covered_call",
        title="Covered call",
        family=Family.INCOME,
        legs=(_HELD, LegTemplate(Side.SELL, Right.CALL, Delta(0.30))),
        outlooks=NOT_BEARISH,
        volatility=VolatilityUse.SELL,
        stance=Stance.LONG,
        tier=Tier.INCOME,
        exit_plan="covered",
    ),
    StrategyTemplate(
        name="covered_strangle",
        title="Covered strangle",
        family=Family.INCOME,
        legs=(
            _HELD,
            LegTemplate(Side.SELL, Right.CALL, Delta(0.25)),
            LegTemplate(Side.SELL, Right.PUT, Delta(0.25)),
        ),
        outlooks=BULLISH,
        volatility=VolatilityUse.SELL,
        stance=Stance.LONG,
        tier=Tier.INCOME,
        exit_plan="covered",
    ),
    StrategyTemplate(
        name="cash_secured_put",
        title="Cash-secured put",
        family=Family.INCOME,
        legs=(LegTemplate(Side.SELL, Right.PUT, Delta(0.30)),),
        outlooks=NOT_BEARISH,
        volatility=VolatilityUse.SELL,
        stance=Stance.LONG,
        tier=Tier.INCOME,
        exit_plan="covered",
        cash_secured=True,
    ),
    StrategyTemplate(
        name="protective_put",
        title="Protective put",
        family=Family.INCOME,
        legs=(_HELD, LegTemplate(Side.BUY, Right.PUT, Delta(0.25))),
        outlooks=ANY_VIEW,
        volatility=VolatilityUse.BUY,
        stance=Stance.LONG,
        tier=Tier.MOMENTUM,
        exit_plan="protective",
        purpose=StructurePurpose.PROTECT,
    ),
    StrategyTemplate(
        name="collar",
        title="Collar",
        family=Family.INCOME,
        legs=(
            _HELD,
            LegTemplate(Side.BUY, Right.PUT, Delta(0.25)),
            LegTemplate(Side.SELL, Right.CALL, Delta(0.25)),
        ),
        outlooks=ANY_VIEW,
        volatility=VolatilityUse.EITHER,
        stance=Stance.LONG,
        tier=Tier.INCOME,
        exit_plan="protective",
        purpose=StructurePurpose.PROTECT,
    ),
    StrategyTemplate(
        name="poor_mans_covered_call",
        title="Poor man's covered call",
        family=Family.INCOME,
        legs=(
            LegTemplate(Side.BUY, Right.CALL, Delta(0.75), NEXT),
            LegTemplate(Side.SELL, Right.CALL, Delta(0.30), FRONT),
        ),
        outlooks=BULLISH,
        volatility=VolatilityUse.SELL,
        stance=Stance.LONG,
        tier=Tier.INCOME,
        exit_plan="diagonal",
    ),
)
