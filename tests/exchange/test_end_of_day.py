"""Quotes made from an end-of-day file: of one moment, on the tick, inside the day's range."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.instruments.dated_ticks import DatedTicks
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.instruments import InstrumentKind
from strikeloom.exchange.market.end_of_day import CLOSE, OPEN, end_of_day_rows
from strikeloom.exchange.market.listing import keys_of, listing_and_previous_day
from support.fakes import MADE

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["symbol", "expiry", "strike", "right"]
#: Expiry days, a day after a holiday, the day of the largest fall, and days of other years.
DAYS = (
    date(2025, 1, 2), date(2025, 1, 8), date(2026, 1, 7), date(2026, 1, 27), date(2026, 2, 3),
    date(2026, 2, 10), date(2026, 3, 9), date(2026, 3, 19),
)  # fmt: skip


def _quotes(history: ParquetHistory, day: date, **given: object) -> pd.DataFrame:
    ticks = DatedTicks(history)
    return end_of_day_rows(history, day, lambda s, k: ticks.tick(s, k, day), MADE, **given)


def _printed(rows: pd.DataFrame, history: ParquetHistory, day: date) -> pd.DataFrame:
    columns = ["low", "high", "open", "close", "lots_traded", "lot_size", "kind", "traded"]
    printed = history.contracts(day)[[*NAMES, *columns]]
    return rows.merge(printed, on=NAMES, validate="many_to_one")


def _check(rows: pd.DataFrame, history: ParquetHistory, day: date) -> int:
    """Every quote is on the tick and inside low..high; the strike pairs that have a quote."""
    seen = _printed(rows, history, day)
    ticks = DatedTicks(history)
    step = seen.groupby("symbol")["kind"].transform("first")
    step = [
        ticks.tick(s, InstrumentKind(k), day) for s, k in zip(seen["symbol"], step, strict=True)
    ]
    for side in ("bid", "ask"):
        price = seen[side].to_numpy()
        there = np.isfinite(price)
        paise = np.rint(price[there] * 100)
        assert (paise % np.array(step)[there] == 0).all()
        assert (price[there] >= seen["low"].to_numpy()[there] - 1e-9).all()
        assert (price[there] <= seen["high"].to_numpy()[there] + 1e-9).all()
        assert seen["traded"].to_numpy()[there].all()
    both = seen["bid"].notna() & seen["ask"].notna()
    assert (seen["bid"] < seen["ask"])[both].all()
    two = seen[both]
    pairs = two[two["right"] == "CE"].merge(
        two[two["right"] == "PE"], on=["at", "symbol", "expiry", "strike"], suffixes=("_c", "_p")
    )
    for (at, symbol, expiry), part in pairs.groupby(["at", "symbol", "expiry"]):
        where = f"{symbol} {expiry:%d %b} at {at:%H:%M}"
        _assert_one_forward(part, where)
    return len(pairs)


def _assert_one_forward(pairs: pd.DataFrame, where: str) -> None:
    """One forward and one discount factor lie inside the quotes of every strike of an expiry.

    A synthetic long costs C ask - P bid at most and brings C bid - P ask at least, so that
    D F - D K lies between them at each strike K: a linear program in (D F, D).
    """
    strike = pairs["strike"].to_numpy()
    least = (pairs["bid_c"] - pairs["ask_p"]).to_numpy()
    most = (pairs["ask_c"] - pairs["bid_p"]).to_numpy()
    upper = np.concatenate([np.stack([np.ones_like(strike), -strike], axis=1),
                            np.stack([-np.ones_like(strike), strike], axis=1)])  # fmt: skip
    found = linprog([0, 0], upper, np.concatenate([most, -least]) + 1e-9,
                    bounds=[(0, None), (0.5, 1.0001)], method="highs")  # fmt: skip
    assert found.status == 0, where


def test_synthetic_days_are_of_one_moment(synthetic_history: ParquetHistory) -> None:
    pairs = 0
    for day in synthetic_history.days()[-3:]:
        pairs += _check(_quotes(synthetic_history, day), synthetic_history, day)
    assert pairs > 1000


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ParquetHistory:
    history = ParquetHistory(tmp_path_factory.mktemp("nse"), "nse")
    folder = shared_data / "fo_bhavcopy" / "udiff"
    names = [f"BhavCopy_NSE_FO_0_0_0_{day:%Y%m%d}_F_0000.csv.zip" for day in DAYS]
    cash = [shared_data / "cm_bhavcopy" / "daily" / f"{day}.csv.gz" for day in DAYS]
    levels = shared_data / "indices" / "nifty50_2024-08_2026-08.csv.gz"
    paths = [*(folder / n for n in names), *cash, levels]
    import_paths([path for path in paths if path.exists()], history)
    return history


@pytest.mark.realdata
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_exchange_s_days_are_of_one_moment(real: ParquetHistory, day: date) -> None:
    rows = _quotes(real, day)
    assert _check(rows, real, day) > 5000
    # and most of what trades can be left: a bid for nine in ten liquid options at the open
    seen = _printed(rows[rows["last"].notna()], real, day)
    liquid = seen[(seen["lots_traded"] > 100) & (seen["at"] == seen["at"].min())]
    assert liquid["bid"].notna().mean() > 0.85


@pytest.mark.realdata
def test_the_mark_of_a_thin_option_is_its_settlement_price(real: ParquetHistory) -> None:
    """The file's last trade of a contract may be hours old; the exchange settles it by model."""
    day = date(2026, 2, 10)
    rows = _quotes(real, day, shown=(OPEN, CLOSE))
    frame = real.contracts(day)
    frame = frame[(frame["right"] != "XX") & (frame["expiry"].dt.date > day)]
    both = rows[rows["at"] == rows["at"].max()].merge(frame, on=NAMES, suffixes=("", "_printed"))
    assert len(both) == len(frame)  # whether traded or not
    assert (both["settle"] == both["settle_printed"]).all()
    assert rows[rows["at"] == rows["at"].min()]["settle"].isna().all()


@pytest.mark.realdata
def test_contracts_whose_expiry_was_moved_keep_their_open_interest(
    shared_data: Path, tmp_path: Path
) -> None:
    """On 2025-01-02 the file states all open interest of 777 of them as its change."""
    folder = shared_data / "fo_bhavcopy" / "udiff"
    history = ParquetHistory(tmp_path / "nse", "nse")
    import_paths(list(folder.glob("*_2025010[12]_*")), history)
    eve, day = date(2025, 1, 1), date(2025, 1, 2)
    names = ["instrument_id", "expiry", "strike", "right", "open_interest", "oi_change"]
    old, new = (history.contracts(each)[["symbol", *names]] for each in (eve, day))
    both = old.merge(new, on=["instrument_id", "symbol", "strike"], suffixes=("_before", ""))
    both = both[(both["expiry"] != both["expiry_before"]) & (both["right"] != "XX")]
    both = both[both["open_interest_before"] > 0]
    assert len(both) == 777 - 10  # futures apart
    assert (both["oi_change"] == both["open_interest"]).all()
    banks = both[both["symbol"] == "BANKNIFTY"]
    rows = _quotes(history, day, symbols=["BANKNIFTY"], shown=(OPEN, CLOSE))
    first = rows[rows["at"] == rows["at"].min()]
    seen = first.merge(banks, on=["expiry", "strike", "right"], suffixes=("_quoted", ""))
    assert len(seen) > 100
    assert (seen["open_interest_quoted"] == seen["open_interest_before"]).all()
    options, before = listing_and_previous_day(history, day)
    keys = dict(zip(options["instrument_id"], keys_of(options), strict=True))
    stated = [before.interest[keys[number]] for number in both["instrument_id"]]
    assert stated == both["open_interest_before"].tolist()


def test_depth_is_spread_over_the_moments_of_the_day(synthetic_history: ParquetHistory) -> None:
    day = synthetic_history.days()[-1]
    rows = _quotes(synthetic_history, day)
    seen = _printed(rows[rows["last"].notna()], synthetic_history, day)
    busy = seen[seen["lots_traded"] >= 400]
    assert len(busy)
    of = busy.groupby(NAMES)[["bid_size", "ask_size"]].sum().max(axis=1).to_numpy()
    day_s = busy.groupby(NAMES)["lots_traded"].first() * busy.groupby(NAMES)["lot_size"].first()
    assert (of <= 0.1 * day_s.to_numpy() + 1e-9).all()


def test_a_contract_without_trades_has_only_its_settlement_price(
    synthetic_history: ParquetHistory,
) -> None:
    day = synthetic_history.days()[-1]
    frame = synthetic_history.contracts(day)
    frame.loc[frame.index[::3], ["open", "high", "low", "close"]] = np.nan
    frame.loc[frame.index[::3], ["lots_traded", "traded"]] = 0, False
    frame["traded"] = frame["traded"].astype(bool)
    rows = _quotes(_Changed(synthetic_history, frame), day)
    quiet = _printed(rows, synthetic_history, day).merge(frame[[*NAMES, "traded"]], on=NAMES)
    quiet = quiet[~quiet["traded_y"]]
    assert len(quiet)
    assert quiet[["bid", "ask", "last"]].isna().to_numpy().all()
    assert quiet["at"].nunique() == 1
    assert quiet["settle"].notna().all()


class _Changed:
    """A history whose contracts of one day are others."""

    def __init__(self, history: ParquetHistory, frame: pd.DataFrame) -> None:
        self._history, self._frame = history, frame

    def __getattr__(self, name: str) -> object:
        return getattr(self._history, name)

    def contracts(self, _day: date, **_: object) -> pd.DataFrame:
        return self._frame
