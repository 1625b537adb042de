"""What a history lists on a market day: options, futures and shares, and their day before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.instruments import (
    FUTURE_RIGHT,
    SHARE_RIGHT,
    FutureContract,
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
)
from strikeloom.domain.money import paise
from strikeloom.errors import DataError, MissingHistory
from strikeloom.exchange.market.opening_interest import opening_interest
from strikeloom.ports.history import History
from strikeloom.ports.instruments import Instruments

if TYPE_CHECKING:
    import pandas as pd

#: Columns that name an instrument in a frame.
NAMES = ["symbol", "expiry", "strike", "right"]


@dataclass(frozen=True)
class PreviousDay:
    """What is known from the day before, by instrument key and by symbol; paise and units.

    ``futures`` has the settlement prices of the day itself, which show once it is over.
    """

    ids: Mapping[str, int] = field(default_factory=dict)
    close: Mapping[str, int] = field(default_factory=dict)
    interest: Mapping[str, int] = field(default_factory=dict)
    volume: Mapping[str, int] = field(default_factory=dict)
    spot_close: Mapping[str, int] = field(default_factory=dict)
    settlements: Mapping[str, int] = field(default_factory=dict)
    early_last_days: Mapping[tuple[str, date], date] = field(default_factory=dict)
    futures: Mapping[str, int] = field(default_factory=dict)


def listing_and_previous_day(history: History, day: date) -> tuple[pd.DataFrame, PreviousDay]:
    """Contracts that live on a day, and what is known of them and of shares from the day before.

    Raises
    ------
    MissingHistory
        When no contracts up to the day are stored.
    """
    days = history.days()
    past = [stored for stored in days if stored < day]
    today = history.contracts(day) if day in days else None
    prior = history.contracts(past[-1]) if past else None
    shown = today if today is not None else prior
    if shown is None:
        raise MissingHistory(f"market {history.market} has no contracts up to {day}")
    last = shown["last_day"].fillna(shown["expiry"])
    listed = shown[last.dt.date >= day]
    early = listed[last[listed.index] < listed["expiry"]]
    early = early.drop_duplicates(["symbol", "expiry"])
    keys = keys_of(listed)
    close = _in_paise(listed["previous_close"]) if today is not None else _closes(listed)
    interest = listed["open_interest"].to_numpy()
    volume = np.zeros(len(listed), dtype=np.int64)
    if today is not None:
        interest = opening_interest(history, day, listed)
    else:
        volume = (listed["lots_traded"] * listed["lot_size"]).to_numpy()
    spot = prior if prior is not None else shown.iloc[:0]
    levels = spot.dropna(subset=["underlying"]).drop_duplicates("symbol")
    finals = shown[last.dt.date == day].dropna(subset=["final_settlement"])
    finals = finals.drop_duplicates("symbol") if today is not None else finals.iloc[:0]
    share_close, share_volume = _shares_before(history, day, past[-1] if past else None)
    closes = dict(zip(keys, close, strict=True)) | share_close
    if today is not None:
        closes |= _adjusted_closes(history, day, closes, prior, keys, listed)
    return listed, PreviousDay(
        ids=dict(zip(keys, listed["instrument_id"].tolist(), strict=True)),
        close=closes,
        interest=dict(zip(keys, interest.tolist(), strict=True)),
        volume=dict(zip(keys, volume.tolist(), strict=True)) | share_volume,
        spot_close={
            s: paise(v, what="close")
            for s, v in zip(levels["symbol"], levels["underlying"], strict=True)
        },
        settlements={
            s: paise(v, what="final settlement")
            for s, v in zip(finals["symbol"], finals["final_settlement"], strict=True)
        },
        early_last_days={
            (s, e.date()): d.date()
            for s, e, d in zip(early["symbol"], early["expiry"], early["last_day"], strict=True)
        },
        futures=_settled(today) if today is not None else {},
    )


def _settled(today: pd.DataFrame) -> dict[str, int]:
    """Settlement prices of the futures of a day, by key."""
    futures = today[(today["right"] == FUTURE_RIGHT) & (today["settle"] > 0)]
    return dict(zip(keys_of(futures), _in_paise(futures["settle"]), strict=True))


def _shares_before(
    history: History, day: date, before: date | None
) -> tuple[dict[str, int], dict[str, int]]:
    """Close of the day before by key of the share, and its volume where the day has no file."""
    cash = history.cash(day, day)
    if len(cash):
        known = cash.dropna(subset=["previous_close"])
        prices = _in_paise(known["previous_close"])
        return dict(zip(map(_share_key, known["symbol"]), prices, strict=True)), {}
    if before is None:
        return {}, {}
    cash = history.cash(before, before)
    keys = [_share_key(symbol) for symbol in cash["symbol"]]
    closes = dict(zip(keys, _in_paise(cash["close"]), strict=True))
    return closes, dict(zip(keys, cash["volume"].tolist(), strict=True))


def _adjusted_closes(
    history: History,
    day: date,
    closes: Mapping[str, int],
    prior: pd.DataFrame | None,
    keys: list[str],
    listed: pd.DataFrame,
) -> dict[str, int]:
    """Closes before of futures and shares where the file's own is absent, or before a split.

    The files do not adjust them; the exchange's base prices are.
    """
    found: dict[str, int] = {}
    futures = [key for key, right in zip(keys, listed["right"], strict=True)
               if right == FUTURE_RIGHT]  # fmt: skip
    if prior is not None and any(not closes[key] for key in futures):
        known = _settled(prior)
        found = {key: known[key] for key in futures if not closes[key] and key in known}
    for action in history.actions(day, day):
        if action.ratio and action.of_contracts:
            names = [key for key in futures if key.startswith(f"{action.symbol}:")]
            for key in (*names, _share_key(action.symbol)):
                whole = found.get(key) or closes.get(key, 0)
                found[key] = round(whole / action.ratio)
    return found


def _share_key(symbol: str) -> str:
    return Share(symbol).key


def _closes(listed: pd.DataFrame) -> list[int]:
    """Closes of the evening: traded ones, else the one carried, else the settlement price.

    Of a future its settlement price, by which it is carried to the next day.
    """
    found = listed["close"].fillna(listed["previous_close"]).fillna(listed["settle"])
    settled = (listed["right"] == FUTURE_RIGHT) & (listed["settle"] > 0)
    return _in_paise(found.where(~settled, listed["settle"]))


def _in_paise(column: pd.Series) -> list[int]:
    whole: list[int] = np.nan_to_num(np.rint(column.to_numpy() * 100)).astype(np.int64).tolist()
    return whole


def keys_of(frame: pd.DataFrame) -> list[str]:
    """Keys of the instruments of a frame's rows."""
    strikes = np.rint(frame["strike"].to_numpy() * 100).astype(np.int64)
    days = frame["expiry"].dt.strftime("%Y-%m-%d")
    parts = zip(frame["symbol"], days, strikes.tolist(), frame["right"], strict=True)
    keys = [f"{symbol}:{day}:{strike}:{right}" for symbol, day, strike, right in parts]
    rights = frame["right"].to_numpy()
    for row in np.flatnonzero((rights == FUTURE_RIGHT) | (rights == SHARE_RIGHT)).tolist():
        symbol, day, _, right = keys[row].rsplit(":", 3)
        named = Share(symbol) if right == SHARE_RIGHT else None
        keys[row] = named.key if named else FutureContract(symbol, date.fromisoformat(day)).key
    return keys


def instruments_of(
    listing: pd.DataFrame, rows: pd.DataFrame, instruments: Instruments, day: date
) -> list[Instrument]:
    """Listed instruments; a contract that first shows in the quotes has the lot of its neighbours.

    A stock with listed contracts has its share listed too.

    Raises
    ------
    DataError
        When a symbol with quotes is not listed, or the lot of a contract is not stored.
    """
    import pandas as pd

    quoted = rows[NAMES].drop_duplicates()
    quoted = quoted[quoted["right"] != SHARE_RIGHT]
    all_of = pd.concat([listing[NAMES], quoted]).drop_duplicates(NAMES)
    all_of = all_of[all_of["expiry"].dt.date >= day]
    sized = all_of.merge(listing[[*NAMES, "kind", "lot_size"]], on=NAMES, how="left")
    options = listing[listing["right"] != FUTURE_RIGHT]
    last = options.groupby("symbol")[["kind", "lot_size"]].last()
    neighbours = dict(zip(last.index, last.itertuples(index=False, name=None), strict=True))
    ticks: dict[tuple[str, str], int] = {}
    found: list[Instrument] = []
    for symbol, expiry, strike, right, kind, lot in sized.itertuples(index=False):
        if pd.isna(kind):
            if symbol not in neighbours:
                raise DataError(f"{symbol} has quotes on {day} but is not listed", symbol=symbol)
            kind, lot = neighbours[symbol]  # noqa: PLW2901
        if lot <= 0:
            raise DataError(f"the lot size of {symbol} {expiry:%Y-%m-%d} is not stored; import "
                            "the day's UDiFF file", symbol=symbol)  # fmt: skip
        sort, of = InstrumentKind(kind), FUTURE_RIGHT if right == FUTURE_RIGHT else ""
        if (symbol, of) not in ticks:
            ticks[symbol, of] = _tick(instruments, symbol, sort, day, of)
        rest = sort, int(lot), ticks[symbol, of]
        if of:
            found.append(FutureContract(symbol, expiry.date(), *rest))
        else:
            found.append(OptionContract(symbol, expiry.date(), paise(strike), Right(right), *rest))
    stocks = sized.loc[sized["kind"] == InstrumentKind.STOCK.value, "symbol"].unique()
    for symbol in stocks.tolist():
        tick = _tick(instruments, symbol, InstrumentKind.STOCK, day, SHARE_RIGHT)
        found.append(Share(symbol, tick))
    return found


def _tick(
    instruments: Instruments, symbol: str, kind: InstrumentKind, day: date, right: str
) -> int:
    return (
        instruments.tick(symbol, kind, day, right) if right else instruments.tick(symbol, kind, day)
    )
