"""What stage 02 starts from: today's chains with the volatility that stage 01 read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from strikeloom.domain.instruments import Underlying
from strikeloom.domain.results import Stage
from strikeloom.domain.volatility import IvRank
from strikeloom.errors import DataError, StageError
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import Rejection

if TYPE_CHECKING:
    import pandas as pd

ALL = "*"


@dataclass(frozen=True)
class Chain:
    """One underlying's options on the expiry its volatility was read from.

    Attributes
    ----------
    rows : pandas.DataFrame
        ``CONTRACTS`` columns; options that traded, of this expiry.
    put_call : float
        Put over call open interest of the expiry, NaN when no call is open.
    tick : int
        Price step of its options in paise.
    """

    underlying: Underlying
    day: date
    expiry: date
    years: float
    spot: float
    forward: float
    atm_iv: float
    rank: IvRank
    rows: pd.DataFrame
    put_call: float
    tick: int


@dataclass(frozen=True)
class Chains:
    """Chains by symbol, the symbols that have none, and the run they came from."""

    chains: dict[str, Chain]
    refused: list[Rejection]
    history: pd.DataFrame
    upstream: str
    universe: list[str] = field(default_factory=list)


def load_chains(desk: Desk, symbols: Sequence[str] | None = None) -> Chains:
    """Join today's contracts with stage 01's volatility.

    Raises
    ------
    StageError
        When stage 01 has no finished run for the day; names the command.
    """
    import pandas as pd

    run = desk.store.latest_run(Stage.IV_HISTORY, desk.day)
    if run is None:
        raise StageError(
            f"iv-history has no finished run for {desk.day} on market {desk.market}; run "
            f"strikeloom run iv-history --date {desk.day}"
        )
    history = desk.store.iv_history(desk.day)
    today = history[history["day"] == pd.Timestamp(desk.day)]
    if symbols:
        unknown = sorted(set(symbols) - set(today["symbol"]))
        if unknown:
            raise DataError(
                f"no volatility row for {', '.join(unknown)} on {desk.day}; is the symbol listed?"
            )
        today = today[today["symbol"].isin(symbols)]
    ranks = desk.store.ranks(desk.day)
    contracts = desk.history.contracts(desk.day)
    options = contracts[contracts["right"] != "XX"]
    by_symbol = dict(iter(options.groupby(["symbol", "expiry"], sort=False)))
    chains: dict[str, Chain] = {}
    refused: list[Rejection] = []
    for row in today.itertuples(index=False):
        if pd.isna(row.atm_iv):
            refused.append(Rejection(row.symbol, ALL, f"no volatility: {row.reason}"))
            continue
        days = (row.expiry - row.day).days
        if days > desk.settings.creation.max_days_to_expiry:
            refused.append(Rejection(row.symbol, ALL, "no expiry near enough"))
            continue
        try:
            underlying = desk.instruments.underlying(row.symbol)
        except DataError as error:  # listed after the table of sectors was made
            refused.append(Rejection(row.symbol, ALL, str(error)))
            continue
        rows = by_symbol[(row.symbol, row.expiry)]
        interest = rows.groupby("right")["open_interest"].sum()
        calls = float(interest.get("CE", 0))
        chains[row.symbol] = Chain(
            underlying,
            desk.day,
            row.expiry.date(),
            row.years,
            row.spot,
            row.forward,
            row.atm_iv,
            ranks[row.symbol],
            rows[rows["traded"]],
            float(interest.get("PE", 0)) / calls if calls else float("nan"),
            desk.instruments.tick(row.symbol, underlying.kind, desk.day),
        )
    return Chains(chains, refused, history, run.run_id, sorted(today["symbol"]))
