"""Random exit rules and marked positions, for properties that hold for every rule there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, get_args

import annotated_types
from hypothesis import strategies as st

from strikeloom.domain.instruments import Right
from strikeloom.domain.position_greeks import PositionGreeks
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import MarkedPosition, Position
from strikeloom.settings.exit_rule import ExitRule
from support.fakes import ist, option

NOW = ist("2026-02-11 10:00")


def rules_of(kind: type[ExitRule]) -> st.SearchStrategy[ExitRule]:
    """Rules of a class, with parameters within the bounds of its fields."""
    fields = {name: field for name, field in kind.model_fields.items() if name != "rule"}
    return st.builds(kind, **{name: _values(field) for name, field in fields.items()})


def _values(field: Any) -> st.SearchStrategy[Any]:
    if get_args(field.annotation):
        return st.sampled_from(get_args(field.annotation))
    low, high, above = 0, 1000, False
    for bound in field.metadata:
        if isinstance(bound, annotated_types.Ge):
            low = bound.ge
        elif isinstance(bound, annotated_types.Gt):
            low, above = bound.gt, True
        elif isinstance(bound, annotated_types.Le):
            high = bound.le
    if field.annotation is int:
        return st.integers(int(low) + above, int(high))
    whole = st.integers(int(low) + above, int(high)).map(float)
    return whole | st.floats(low, high, exclude_min=above)


_MONEY = st.integers(-(10**6), 10**6) | st.integers(-(10**12), 10**12)
_LIMIT = st.none() | st.integers(0, 10**4) | st.integers(0, 10**12)


@st.composite
def legs(draw: st.DrawFn) -> PositionLeg:
    """One leg, long, short or closed."""
    instrument = option(
        draw(st.integers(1, 400)) * 100, draw(st.sampled_from(Right)), expiry=date(2026, 2, 24)
    )
    return PositionLeg(0, instrument, draw(st.sampled_from([-130, -65, 0, 65])), -65, 0, 0, 0)


@st.composite
def marked_positions(draw: st.DrawFn) -> MarkedPosition:
    """A marked position of which anything may be missing."""
    drawn = draw(st.lists(legs(), min_size=1, max_size=4))
    held = tuple(replace(leg, leg=number) for number, leg in enumerate(drawn))
    position = Position("a", "m", "S1", "NIFTY", "t", "credit", held, 1, NOW)
    pnl = draw(st.none() | _MONEY)
    level = draw(st.none() | st.integers(1, 400).map(lambda n: n * 100_00) | st.integers(1, 10**8))
    days = draw(st.none() | st.integers(-5, 400))
    last = None if days is None else NOW.date() + timedelta(days=days)
    later = st.integers(0, 2).map(lambda weeks: timedelta(days=7 * weeks))
    ends = {leg.leg: last + draw(later) for leg in held if leg.net_units} if last else {}
    greek = st.none() | st.floats(-1e9, 1e9)
    found = PositionGreeks(*(draw(greek) for _ in range(4)))
    return MarkedPosition(
        position=position,
        marks={},
        missing=() if pnl is not None else ("X",),
        pnl=pnl,
        entry_premium=draw(_MONEY),
        max_profit=draw(_LIMIT),
        max_loss=draw(_LIMIT),
        at=NOW,
        last_day=min(ends.values(), default=last),
        last_days=ends,
        peak_pnl=draw(st.none() | _MONEY),
        level=level,
        sessions_held=draw(st.none() | st.integers(0, 300)),
        sessions_left=draw(st.none() | st.integers(0, 300)),
        days_to_first_end=draw(st.none() | st.integers(-40, 400)),
        unknown={"level": "the level is unknown"} if level is None else {},
        compute_greeks=lambda: found,
    )
