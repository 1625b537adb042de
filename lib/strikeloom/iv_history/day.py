"""Everything known of one day, from that day's contracts and the prices up to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING

from strikeloom.iv_history.summarise import summarise
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.settings.iv import IvSettings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class DaySummary:
    """Tables of a day.

    Attributes
    ----------
    summary : DataFrame
        One row a symbol.
    expiries : DataFrame
        One row a symbol and expiry.
    """

    summary: pd.DataFrame
    expiries: pd.DataFrame


def summarise_day(
    contracts: pd.DataFrame,
    prices: pd.DataFrame,  # noqa: ARG001
    day: date,
    settings: IvSettings,
    *,
    actions: Sequence[CorporateAction] = (),  # noqa: ARG001
) -> DaySummary:
    """Work out a day.

    Parameters
    ----------
    contracts : DataFrame
        ``CONTRACTS`` of the day.
    prices : DataFrame
        ``symbol``, ``day``, ``open`` to ``close`` up to the day, in its terms.
    actions : sequence of CorporateAction
        Of the span of the prices.
    """
    import pandas as pd

    rows = summarise(contracts, day, settings)
    summary = pd.DataFrame([asdict(row) for row in rows])
    for name in ("atm_iv", "years", "spot", "forward"):
        summary[name] = summary[name].astype("float64")
    for name in ("day", "expiry"):
        summary[name] = pd.to_datetime(summary[name]).astype("datetime64[s]")
    sources = [None if item is None else item.value for item in summary["forward_source"]]
    summary["forward_source"] = pd.Series(sources, dtype="object")
    return DaySummary(summary, summary[["symbol", "expiry", "years", "forward"]].dropna())
