"""Fitted smiles of one underlying with the quotes behind them, for display."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.errors import DataError
from strikeloom.iv_history.chains import day_chains
from strikeloom.iv_history.expiries import solve_expiries
from strikeloom.nse.renames import KnownAs
from strikeloom.ports.desk import Desk
from strikeloom.quant.smile.curves import Curves, volatility
from strikeloom.quant.smile.fit import QuoteReason
from strikeloom.settings.iv import IvSettings

if TYPE_CHECKING:
    import pandas as pd

_POINTS = 81
_BEYOND = 0.1  # of the quoted range, on each side


def find_symbol(desk: Desk, name: str = "") -> KnownAs:
    """Symbol on the desk's day of a name, a former one too; without one, the most traded."""
    past = desk.history.as_of(desk.day)
    return past.known_as(name) if name.strip() else KnownAs(_busiest(past.contracts(desk.day)))


def smiles(desk: Desk, symbol: str = "") -> pd.DataFrame:
    """``smile_points`` of the desk's day; without a symbol, of the most traded underlying."""
    name = find_symbol(desk, symbol).symbol
    contracts = desk.history.as_of(desk.day).contracts(desk.day, symbols=[name])
    return smile_points(contracts, desk.day, desk.settings.iv)


def smile_points(contracts: pd.DataFrame, day: date, settings: IvSettings) -> pd.DataFrame:
    """Quotes and fitted curves of one underlying.

    Returns
    -------
    DataFrame
        Columns symbol, expiry, what, moneyness, vol, strike. ``what`` is ``fit`` for points of
        the curve, ``fresh`` and ``old`` for quotes used (traded in the closing half hour or
        before), ``refused`` for a quote so far off that it hardly counts.

    Raises
    ------
    DataError
        When the frame holds no row.
    """
    import pandas as pd

    if contracts.empty:
        raise DataError(f"the underlying has no contract on {day}; is the symbol listed?")
    chains = day_chains(contracts, day, settings.year_basis)
    expiries = solve_expiries(chains, day, settings, threads=1)
    quotes, fit = expiries.quotes, expiries.fit
    what = np.where(chains.fresh[quotes.row], "fresh", "old")
    what = np.where(fit.reason == QuoteReason.OK, what, "refused")
    tables = [
        pd.DataFrame(
            {
                "symbol": chains.symbols[chains.underlying[quotes.group]],
                "expiry": chains.expiry[quotes.group].astype("datetime64[s]"),
                "what": what,
                "moneyness": quotes.moneyness,
                "vol": quotes.vol,
                "strike": chains.strike[quotes.row],
            }
        )
    ]
    for group in np.flatnonzero(fit.used > 0).tolist():
        room = _BEYOND * (fit.highest[group] - fit.lowest[group])
        k = np.linspace(fit.lowest[group] - room, fit.highest[group] + room, _POINTS)
        curve = Curves(*(part[group] for part in fit.curves))
        tables.append(
            pd.DataFrame(
                {
                    "symbol": chains.symbols[chains.underlying[group]],
                    "expiry": chains.expiry[group].astype("datetime64[s]"),
                    "what": "fit",
                    "moneyness": k,
                    "vol": volatility(curve, k, chains.years[group]),
                    "strike": expiries.best.forward[group] * np.exp(k),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _busiest(contracts: pd.DataFrame) -> str:
    options = contracts[contracts["right"] != "XX"]
    return str(options.groupby("symbol")["lots_traded"].sum().idxmax())
