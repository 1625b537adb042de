"""A day's volatility of the whole exchange: the pure function that the collection maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.volatility import IV_EXPIRIES, IV_SUMMARY, ForwardSource
from strikeloom.iv_history.columns import Columns, columns
from strikeloom.iv_history.expiries import Expiries, solve_expiries
from strikeloom.iv_history.realised import realised
from strikeloom.iv_history.summary import summary_columns
from strikeloom.iv_history.term import Term, term_structure
from strikeloom.iv_history.vix_method import vix_method
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.quant.smile.fit import Kind as Smile
from strikeloom.settings.iv import IvSettings

if TYPE_CHECKING:
    import pandas as pd

#: Version of the numbers; a change makes every stored day count as missing.
METHOD = "smile-11"

#: By ``quant.forwards.Source``.
SOURCES = np.array(["", *(source.value for source in ForwardSource)], dtype=object)


@dataclass(frozen=True, eq=False)
class DaySummary:
    """``summary`` checked by ``IV_SUMMARY``, ``expiries`` by ``IV_EXPIRIES``; sorted by key."""

    summary: pd.DataFrame
    expiries: pd.DataFrame


def summarise_day(
    contracts: pd.DataFrame,
    prices: pd.DataFrame,
    day: date,
    settings: IvSettings,
    *,
    actions: Sequence[CorporateAction] = (),
) -> DaySummary:
    """Volatility of every underlying of the day; no other day's options are looked at.

    Parameters
    ----------
    contracts : DataFrame
        ``CONTRACTS`` of the day; of its columns those in ``columns.READ`` are enough.
    prices : DataFrame
        Columns symbol, day, open, high, low, close up to the day, adjusted for splits to its
        shares; 61 sessions serve every window. May be empty: then nothing is realised.
    settings : IvSettings
    actions : sequence of CorporateAction
        Of the span of the prices.

    Returns
    -------
    DaySummary
        Every underlying of ``contracts`` has a row: solved, or with the reason.
    """
    c = columns(contracts, day, settings.year_basis)
    found = solve_expiries(c, day, settings)
    term = term_structure(c, found, settings.tenor_min_days)
    past = realised(c.symbols, prices, day, actions)
    index = vix_method(c, day, settings)
    summary = summary_columns(c, found, term, past, index, day, settings)
    where = f"volatility of {day}"
    return DaySummary(
        IV_SUMMARY.check(_frame(summary), where=where),
        IV_EXPIRIES.check(_frame(_expiry_columns(c, found, term, day)), where=where),
    )


def _frame(values: dict[str, NDArray[np.generic]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(values)


def _expiry_columns(
    c: Columns, found: Expiries, term: Term, day: date
) -> dict[str, NDArray[np.generic]]:
    kinds = np.array([kind.name.lower() for kind in Smile], dtype=object)
    parity, best, fit = found.parity, found.best, found.fit
    return {
        "symbol": c.symbols[c.chain].astype(object),
        "day": np.full(len(c.chain), np.datetime64(day, "s")),
        "expiry": c.expiry.astype("datetime64[s]"),
        "years": c.years,
        "forward": best.forward,
        "forward_error": best.std_error,
        "forward_source": SOURCES[best.source],
        "parity_forward": parity.forward,
        "parity_error": parity.std_error,
        "parity_strikes": parity.used,
        "future": c.future,
        "discount": parity.discount,
        "discount_error": parity.discount_error,
        "smile": kinds[fit.kind],
        "quotes": fit.used,
        "lowest": fit.lowest,
        "highest": fit.highest,
        "residual": fit.error,
        "moved": fit.moved,
        "atm_iv": found.wings.at_money,
        "atm_error": found.error,
        "rr25": found.wings.risk_reversal,
        "bf25": found.wings.butterfly,
        "model_free": found.model_free,
        "term_iv": term.vol,
        "quality": term.grade.astype(object),
        **fit.curves._asdict(),
    }
