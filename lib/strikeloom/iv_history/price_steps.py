"""Price steps without a value in the realised volatility of a day, in words."""

from __future__ import annotations

from datetime import date, timedelta

from strikeloom.domain.market_names import is_synthetic
from strikeloom.iv_history.load import PRICE_DAYS
from strikeloom.nse.corporate_actions import breaks
from strikeloom.nse.stated_steps import how_to_state
from strikeloom.ports.desk import Desk


def price_steps(desk: Desk, symbol: str = "", first: date | None = None) -> list[str]:
    """Each night left out of realised volatility, and the command that states what it was.

    Parameters
    ----------
    symbol : str, default ""
        Of this symbol alone, under its name of the desk's day.
    first : datetime.date, optional
        First day of volatilities; default: the desk's day.
    """
    if is_synthetic(desk.market):
        return []
    since = (first or desk.day) - timedelta(days=PRICE_DAYS)
    steps = breaks(desk.history.as_of(desk.day).actions(since, desk.day), desk.day)
    return [f"{item}; {how_to_state(item)}" for item in steps if symbol in ("", item.symbol)]
