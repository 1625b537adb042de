"""At-the-money volatility of every underlying on a day, in columns.

Only options that traded are used; an expiring day's and untraded rows never are. The forward
of an expiry comes from put-call parity over its traded strikes, else from the listed future,
else from the spot carried at the rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.volatility import ForwardSource, IvSnapshot
from strikeloom.nse.sessions import session, years_array
from strikeloom.ports.desk import Desk
from strikeloom.quant.atm import at_the_money
from strikeloom.quant.forwards import carried_forward, parity_forwards
from strikeloom.quant.implied_vol import Reason, implied_vol
from strikeloom.settings.iv import IvSettings

if TYPE_CHECKING:
    import pandas as pd

#: Version of the numbers; a change makes every stored day count as missing.
METHOD = "atm-parity-1"

_PARITY_REACH = 0.04  # log-moneyness at which a strike's weight in the forward has halved
_SOURCES = np.array([ForwardSource.PARITY, ForwardSource.FUTURE, ForwardSource.SPOT], dtype=object)


def summarise_days(
    desk: Desk,
    days: Sequence[date],
    *,
    symbols: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[list[IvSnapshot]]:
    """Snapshots of each day in turn; memory holds one day at a time."""
    for number, day in enumerate(days, start=1):
        frame = desk.history.contracts(day, symbols=symbols)
        yield summarise(frame, day, desk.settings.iv)
        if progress:
            progress(number, len(days))


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
    columns = options[["strike", "right", "close", "lots_traded"]].assign(group=group)
    calls = columns[columns["right"] == "CE"].set_index(["group", "strike"])
    puts = columns[columns["right"] == "PE"].set_index(["group", "strike"])
    pairs = calls.join(puts, lsuffix="_call", rsuffix="_put", how="inner").reset_index()
    number = pairs["group"].to_numpy()
    strike = pairs["strike"].to_numpy()
    reach = np.log(strike / groups["spot"].to_numpy()[number]) / _PARITY_REACH
    lots = np.minimum(pairs["lots_traded_call"], pairs["lots_traded_put"]).to_numpy(dtype=float)
    parity = parity_forwards(
        strike,
        pairs["close_call"].to_numpy(),
        pairs["close_put"].to_numpy(),
        discount[number],
        np.sqrt(lots) * 0.5 ** (reach**2),
        number,
        len(groups),
    )
    futures = live[live["right"] == "XX"].set_index(["symbol", "expiry"])["close"]
    keys = list(zip(groups["symbol"], groups["expiry"], strict=True))
    listed = futures.reindex(keys).to_numpy(dtype=float)
    carried = carried_forward(groups["spot"].to_numpy(), settings.rate, years)
    candidates = np.stack([np.where(parity.used >= 2, parity.forward, np.nan), listed, carried])
    best = np.argmax(np.isfinite(candidates), axis=0)
    forward = candidates[best, np.arange(len(groups))]
    source = _SOURCES[best]
    source[~np.isfinite(forward)] = None
    return forward, source


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
