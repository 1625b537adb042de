"""Smile of each chain, from out-of-the-money options that traded; one batch for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from strikeloom.quant.chain import solve_chain
from strikeloom.quant.implied.solver import Reason
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.fit import SmileKind, fit_smiles
from strikeloom.quant.smile.quotes import out_of_the_money, precision

if TYPE_CHECKING:
    import pandas as pd


class ChainQuotes(NamedTuple):
    """Input of a smile fit.

    ``rows`` of ``CONTRACTS`` that traded, the forward, years by the calendar and on the year
    basis of the volatilities, tick in rupees.
    """

    rows: pd.DataFrame
    forward: float
    calendar: float
    years: float
    tick: float


class Smile(NamedTuple):
    """Fitted smile of one chain, shape (1,), and the quality of the fit.

    ``error`` is the weighted root mean square distance of its quotes, as a volatility; ``kind``
    is ``REFUSED`` where no option has a volatility.
    """

    curves: Curves
    kind: SmileKind
    used: int
    error: float


def fit_chains(chains: Sequence[ChainQuotes], rate: float) -> list[Smile]:
    """Smiles in the order of the chains; each is the only expiry of its underlying here."""
    import pandas as pd

    if not chains:
        return []
    rows = pd.concat([chain.rows for chain in chains], ignore_index=True)
    sizes = [len(chain.rows) for chain in chains]
    group = np.repeat(np.arange(len(chains)), sizes)
    forward, calendar, years, tick = (
        np.array([getattr(chain, name) for chain in chains], dtype=np.float64)
        for name in ("forward", "calendar", "years", "tick")
    )
    strike, price = rows["strike"].to_numpy(), rows["close"].to_numpy()
    call, settle = (rows["right"] == "CE").to_numpy(), rows["settle"].to_numpy()
    discount = np.exp(-rate * calendar[group])
    solved = solve_chain(price, forward[group], strike, years[group], call, discount)
    use = out_of_the_money(price, forward[group], strike, call, tick[group])
    use &= solved.reason == Reason.OK
    vega = solved.greeks.vega
    # the exchange settles an option that traded in the closing half hour at its own close
    fresh = np.isnan(settle) | (settle == price)
    weight = precision(vega, rows["lots_traded"].to_numpy(dtype=float), fresh, tick[group])
    k = np.log(strike / forward[group])
    fit = fit_smiles(
        k[use],
        (solved.vol**2 * years[group])[use],
        weight[use],
        group[use],
        years,
        np.arange(len(chains)),
    )
    return [
        Smile(
            fit.curves.pick([place]),
            SmileKind(int(fit.kind[place])),
            int(fit.used[place]),
            float(fit.error[place]),
        )
        for place in range(len(chains))
    ]
