"""At-the-money volatility of every underlying on a day, in columns.

Only options that traded are used; an expiring day's and untraded rows never are. The forward
of an expiry comes from put-call parity over its traded strikes, else from the listed future,
else from the spot carried at the rate.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.volatility import ForwardSource, IvSnapshot
from strikeloom.nse.sessions import session, years_array
from strikeloom.quant.atm import at_the_money
from strikeloom.quant.forwards import (
    best_forwards,
    call_put_pairs,
    close_variance,
    parity_forwards,
)
from strikeloom.quant.implied_vol import Reason, implied_vol
from strikeloom.settings.iv import IvSettings

if TYPE_CHECKING:
    import pandas as pd

#: Version of the numbers; a change makes every stored day count as missing.
METHOD = "atm-parity-2"

#: By ``quant.forwards.Source``.
_SOURCES = np.array([None, *ForwardSource], dtype=object)


def summarise(contracts: pd.DataFrame, day: date, settings: IvSettings) -> list[IvSnapshot]:
    """One snapshot a symbol, sorted by symbol; unsolved ones carry the reason."""
    import pandas as pd

    groups = _expiries(contracts, day, settings)
    symbols = np.sort(contracts["symbol"].unique())
    spots = contracts.groupby("symbol")["underlying"].first()
    solved = groups[groups["vol"].notna() & (groups["strikes"] >= settings.min_strikes)]
    chosen = solved.sort_values(["symbol", "expiry"]).groupby("symbol").head(1).set_index("symbol")
    reasons = _reasons(groups, settings)
    rows = []
    for symbol in symbols.tolist():
        spot = float(spots.get(symbol, np.nan))
        known_spot = None if np.isnan(spot) else spot
        if symbol not in chosen.index:
            why = reasons.get(symbol, "no option with enough days to expiry traded")
            rows.append(IvSnapshot(symbol, day, None, None, None, known_spot, None, None, 0, why))
            continue
        row = chosen.loc[symbol]
        rows.append(
            IvSnapshot(
                symbol,
                day,
                float(row["vol"]),
                pd.Timestamp(row["expiry"]).date(),
                float(row["years"]),
                known_spot,
                float(row["forward"]),
                row["source"],
                int(row["strikes"]),
            )
        )
    return rows


def _expiries(contracts: pd.DataFrame, day: date, settings: IvSettings) -> pd.DataFrame:
    """One row an expiry of a symbol: forward, its source, ATM volatility, strikes used."""
    import pandas as pd

    soon = pd.Timestamp(day) + pd.Timedelta(days=settings.min_days_to_expiry)
    live = contracts[(contracts["expiry"] >= soon) & contracts["traded"]]
    options = live[live["right"] != "XX"]
    group, groups = _numbered(options)
    if groups.empty:
        return groups.reindex(columns=[*groups.columns, "vol", "strikes"])
    years = years_array(session(day).close, groups["expiry"].to_numpy())
    discount = np.exp(-settings.rate * years)
    spot = groups["spot"].to_numpy()
    forward, source = _forwards(options, live, group, groups, discount, years, settings)
    strike = options["strike"].to_numpy()
    is_call = (options["right"] == "CE").to_numpy()
    otm = is_call == (strike >= forward[group])
    vol, reason = implied_vol(
        options["close"].to_numpy(), forward[group], strike, years[group], is_call, discount[group]
    )
    use = otm & (reason == Reason.OK)
    with np.errstate(invalid="ignore", divide="ignore"):
        moneyness = np.log(strike / forward[group])
    found = at_the_money(
        moneyness[use],
        vol[use],
        np.sqrt(options["lots_traded"].to_numpy(dtype=float)[use]),
        group[use],
        len(groups),
        each_side=settings.strikes_each_side,
    )
    return groups.assign(
        years=years,
        forward=forward,
        source=source,
        vol=found.vol,
        spot=spot,
        below=found.below,
        above=found.above,
        strikes=found.below + found.above,
    )


def _numbered(options: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """Number the expiries of all symbols, and describe each."""
    keys = options.groupby(["symbol", "expiry"], sort=True)
    group = keys.ngroup().to_numpy()
    groups = keys["underlying"].first().rename("spot").reset_index()
    return group, groups


def _forwards(
    options: pd.DataFrame,
    live: pd.DataFrame,
    group: np.ndarray,
    groups: pd.DataFrame,
    discount: np.ndarray,
    years: np.ndarray,
    settings: IvSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Forward of each expiry by the best source it has."""
    strike = options["strike"].to_numpy()
    close, settle = options["close"].to_numpy(), options["settle"].to_numpy()
    variance = close_variance(
        options["lots_traded"].to_numpy(dtype=float), np.isnan(settle) | (close == settle)
    )
    calls, puts = call_put_pairs(strike, (options["right"] == "CE").to_numpy(), group)
    parity = parity_forwards(
        strike[calls],
        close[calls] - close[puts],
        variance[calls] + variance[puts],
        group[calls],
        discount,
        discount * years * settings.rate_error,
    )
    futures = live[live["right"] == "XX"].set_index(["symbol", "expiry"])["close"]
    keys = list(zip(groups["symbol"], groups["expiry"], strict=True))
    best = best_forwards(
        parity,
        futures.reindex(keys).to_numpy(dtype=float),
        groups["spot"].to_numpy(),
        years,
        groups["symbol"].factorize()[0].astype(np.int64),
        settings.rate,
        most_error=settings.parity_error,
    )
    return best.forward, _SOURCES[best.source]


def _reasons(groups: pd.DataFrame, settings: IvSettings) -> dict[str, str]:
    """Why the nearest expiry of a symbol was not solved."""
    reasons = {}
    for row in groups.sort_values(["symbol", "expiry"]).groupby("symbol").head(1).itertuples():
        if not np.isfinite(row.forward):
            text = "no forward: no parity pair, no traded future, no spot"
        elif not (row.below and row.above):
            text = "traded strikes on one side of the forward only"
        else:
            text = f"fewer than {settings.min_strikes} traded strikes near the forward"
        reasons[row.symbol] = text
    return reasons
