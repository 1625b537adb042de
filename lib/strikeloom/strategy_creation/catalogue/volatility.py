"""Structures that profit when the underlying moves far, or volatility rises."""

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.selectors import Moves, Same, Width
from strikeloom.domain.templates import (
    Family,
    LegTemplate,
    Stance,
    StrategyTemplate,
    Tier,
    VolatilityUse,
    inverse,
    mirrored,
)
from strikeloom.strategy_creation.catalogue.neutral import (
    CALL_BUTTERFLY,
    CALL_CONDOR,
    IRON_BUTTERFLY,
    IRON_CONDOR,
    SHORT_GUTS,
    SHORT_STRADDLE,
    SHORT_STRANGLE,
)
from strikeloom.strategy_creation.catalogue.outlooks import ANY_VIEW, BULLISH


def _bought(template: StrategyTemplate, name: str, title: str) -> StrategyTemplate:
    """The same strikes with the sides turned: it needs a move, to either side."""
    return inverse(
        template,
        name=name,
        title=title,
        family=Family.VOLATILITY,
        outlooks=ANY_VIEW,
        tier=Tier.VOLATILITY,
        exit_plan="debit",
    )


STRAP = StrategyTemplate(
    name="strap",
    title="Strap",
    family=Family.VOLATILITY,
    legs=(
        LegTemplate(Side.BUY, Right.CALL, Moves(0.0), ratio=2),
        LegTemplate(Side.BUY, Right.PUT, Same(0)),
    ),
    outlooks=BULLISH,
    volatility=VolatilityUse.BUY,
    stance=Stance.LONG,
    tier=Tier.VOLATILITY,
    exit_plan="debit",
)
CALL_BACKSPREAD = StrategyTemplate(
    name="call_backspread",
    title="Call backspread",
    family=Family.VOLATILITY,
    legs=(
        LegTemplate(Side.SELL, Right.CALL, Moves(0.0)),
        LegTemplate(Side.BUY, Right.CALL, Width(0, 0.5), ratio=2),
    ),
    outlooks=BULLISH,
    volatility=VolatilityUse.BUY,
    stance=Stance.LONG,
    tier=Tier.VOLATILITY,
    exit_plan="debit",
)

VOLATILITY = (
    _bought(SHORT_STRADDLE, "long_straddle", "Long straddle"),
    _bought(SHORT_STRANGLE, "long_strangle", "Long strangle"),
    _bought(SHORT_GUTS, "long_guts", "Long guts"),
    mirrored(STRAP, name="strip", title="Strip"),
    STRAP,
    _bought(IRON_CONDOR, "reverse_iron_condor", "Reverse iron condor"),
    _bought(IRON_BUTTERFLY, "reverse_iron_butterfly", "Reverse iron butterfly"),
    _bought(CALL_BUTTERFLY, "short_call_butterfly", "Short call butterfly"),
    _bought(mirrored(CALL_BUTTERFLY), "short_put_butterfly", "Short put butterfly"),
    _bought(CALL_CONDOR, "short_call_condor", "Short call condor"),
    _bought(mirrored(CALL_CONDOR), "short_put_condor", "Short put condor"),
    CALL_BACKSPREAD,
    mirrored(CALL_BACKSPREAD, name="put_backspread", title="Put backspread"),
)
