"""Volatility of the whole exchange on one day: the pure function behind the collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.volatility import IV_EXPIRIES, IV_SUMMARY, ForwardSource
from strikeloom.iv_history.chains import DayChains, day_chains
from strikeloom.iv_history.expiries import Expiries, solve_expiries
from strikeloom.iv_history.realised import realised
from strikeloom.iv_history.summary import summary_columns
from strikeloom.iv_history.term import Term, term_structure
from strikeloom.iv_history.vix_method import vix_method
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.quant.smile.fit import SmileKind
from strikeloom.settings.iv import IvSettings

if TYPE_CHECKING:
    import pandas as pd

#: Version of the method; a change makes every stored day count as missing.
METHOD = "smile-12"

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
    """Volatility of every underlying on the day, from that day's options alone.

    Parameters
    ----------
    contracts : DataFrame
        ``CONTRACTS`` of the day; the columns ``chains.CONTRACT_COLUMNS`` are enough.
    prices : DataFrame
        Columns symbol, day, open, high, low, close up to the day, adjusted for splits to its
        shares; 61 sessions serve every window. May be empty: then there is no realised volatility.
    settings : IvSettings
    actions : sequence of CorporateAction
        Those of the span of the prices.

    Returns
    -------
    DaySummary
        Every underlying of ``contracts`` has a row, with its volatility or the reason for none.
    """
    chains = day_chains(contracts, day, settings.year_basis)
    expiries = solve_expiries(chains, day, settings)
    term = term_structure(chains, expiries, settings.tenor_min_days)
    past = realised(chains.symbols, prices, day, actions)
    index = vix_method(chains, day, settings)
    summary = summary_columns(chains, expiries, term, past, index, day, settings)
    where = f"volatility of {day}"
    return DaySummary(
        IV_SUMMARY.check(_frame(summary), where=where),
        IV_EXPIRIES.check(_frame(_expiry_columns(chains, expiries, term, day)), where=where),
    )


def _frame(values: dict[str, NDArray[np.generic]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(values)


def _expiry_columns(
    chains: DayChains, expiries: Expiries, term: Term, day: date
) -> dict[str, NDArray[np.generic]]:
    kinds = np.array([kind.name.lower() for kind in SmileKind], dtype=object)
    parity, best, fit = expiries.parity, expiries.best, expiries.fit
    return {
        "symbol": chains.symbols[chains.underlying].astype(object),
        "day": np.full(len(chains.underlying), np.datetime64(day, "s")),
        "expiry": chains.expiry.astype("datetime64[s]"),
        "years": chains.years,
        "forward": best.forward,
        "forward_error": best.std_error,
        "forward_source": SOURCES[best.source],
        "parity_forward": parity.forward,
        "parity_error": parity.std_error,
        "parity_strikes": parity.used,
        "future": chains.future,
        "discount": parity.discount,
        "discount_error": parity.discount_error,
        "smile": kinds[fit.kind],
        "quotes": fit.used,
        "lowest": fit.lowest,
        "highest": fit.highest,
        "residual": fit.error,
        "moved": fit.moved,
        "atm_iv": expiries.wings.at_money,
        "atm_error": expiries.error,
        "rr25": expiries.wings.risk_reversal,
        "bf25": expiries.wings.butterfly,
        "model_free": expiries.model_free,
        "term_iv": term.vol,
        "quality": term.grade.astype(object),
        **fit.curves._asdict(),
    }
