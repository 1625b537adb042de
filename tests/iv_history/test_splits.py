"""A split moves nothing: implied and realised volatility, wings, ratios, percentiles and ranks.

Prices adjusted by hand from the exchange's own file, and an invented share beside its twin that
never splits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from strikeloom import iv_history
from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.workers import HereWorkers
from strikeloom.desk import open_desk
from strikeloom.iv_history import summarise_day
from strikeloom.nse.sessions import trading_days
from strikeloom.quant.realised import close_to_close, garman_klass, parkinson, yang_zhang
from strikeloom.settings.all import load_settings
from support.synthetic_chains import made, walk

SPLITS = (
    ("MCX", 5, "2026-01-01", "2026-01-02"),
    ("KOTAKBANK", 5, "2026-01-13", "2026-01-14"),
    ("ANGELONE", 10, "2026-02-25", "2026-02-26"),
)
SIDES = ("open", "high", "low", "close")
WINDOWS = (10, 20, 60)
REALISED = [f"rv_{name}_{n}" for name in ("cc", "pk", "gk", "yz") for n in WINDOWS]
IMPLIED = [
    "atm_iv", "atm_iv_7d", "atm_iv_30d", "atm_iv_60d", "model_free_30d", "rr25_30d", "bf25_30d",
]  # fmt: skip


def of_one_share(shared_data: Path, day: str, symbol: str, folder: Path) -> Path:
    """The exchange's own file cut down to one underlying."""
    name = f"BhavCopy_NSE_FO_0_0_0_{day.replace('-', '')}_F_0000.csv"
    table = pd.read_csv(shared_data / "fo_bhavcopy" / "udiff" / f"{name}.zip", dtype=str)
    table[table["TckrSymb"] == symbol].to_csv(folder / name, index=False)
    return folder / name


def realised(bars: np.ndarray) -> dict[str, float]:
    """Every estimator at the end of open, high, low, close."""
    o, h, low, c = bars
    found = {}
    for n in WINDOWS:
        found[f"rv_cc_{n}"] = close_to_close(c, n, 250)[-1]
        found[f"rv_pk_{n}"] = parkinson(h, low, n, 250)[-1]
        found[f"rv_gk_{n}"] = garman_klass(o, h, low, c, n, 250)[-1]
        found[f"rv_yz_{n}"] = yang_zhang(o, h, low, c, n, 250)[-1]
    return found


@pytest.mark.realdata
@pytest.mark.parametrize(("symbol", "ratio", "before", "after"), SPLITS)
def test_real_splits_by_prices_adjusted_by_hand(
    shared_data: Path, tmp_path: Path, symbol: str, ratio: int, before: str, after: str
) -> None:
    (stacked,) = (shared_data / "cm_bhavcopy").glob("fno_underlyings_*.csv.gz")
    raw = pd.read_csv(stacked, skipinitialspace=True)
    raw = raw[raw["SYMBOL"] == symbol].assign(day=lambda t: pd.to_datetime(t["DATE1"]))
    raw = raw.sort_values("day")
    days = (before, after)
    files = [of_one_share(shared_data, day, symbol, tmp_path) for day in days]
    history = ParquetHistory(tmp_path / "history", "nse")
    assert not import_paths([*files, stacked], history).refused
    rows = []
    for text, share in zip(days, (1, ratio), strict=True):
        day = date.fromisoformat(text)
        past, begin = history.as_of(day), day - timedelta(days=130)
        found = summarise_day(
            past.contracts(day), past.prices(begin, day, symbols=[symbol]), day,
            load_settings().iv, actions=past.actions(begin, day),
        )  # fmt: skip
        row = found.summary.iloc[0]
        known = raw[raw["day"] <= text]
        bars = known[["OPEN_PRICE", "HIGH_PRICE", "LOW_PRICE", "CLOSE_PRICE"]].to_numpy(float).T
        bars[:, (known["day"] < after).to_numpy()] /= share
        for name, expected in realised(bars).items():
            assert row[name] == pytest.approx(expected, rel=1e-9), (text, name)
            # unadjusted, a fall of four fifths makes 3.2 of the calmest of them
            assert row[name] < 0.9, (text, name)
        rows.append(row)
    first, second = rows
    assert first["spot"] / second["spot"] == pytest.approx(ratio, rel=0.05)
    for name in ("atm_iv", "atm_iv_30d", "model_free_30d"):
        assert abs(second[name] - first[name]) < 0.03, name
    for name in ("pcr_oi", "pcr_volume"):
        assert 0.4 < second[name] / first[name] < 2.5, name


RATIO, SHARE = 8, "QUAGGA"
LAST, EXPIRIES = date(2026, 2, 10), (date(2026, 2, 24), date(2026, 3, 30))
CASH_DAYS = trading_days(date(2025, 9, 15), LAST)
DAYS = CASH_DAYS[-26:]
SPLIT = DAYS[19]


def home_of(folder: Path, ratio: int) -> Path:
    """26 days of an invented share whose volatility wanders; it splits on the twentieth."""
    history = ParquetHistory(folder / "history" / "nse", "nse")
    vols = np.random.default_rng(11).permutation(np.linspace(0.2, 0.45, len(DAYS)))
    for day, vol in zip(DAYS, vols, strict=True):
        share = ratio if day >= SPLIT else 1
        levels = {(SHARE, expiry): float(vol) for expiry in EXPIRIES}
        frame = made(levels, spot=1000.0 / share, day=day)
        frame = frame.assign(
            day=pd.Timestamp(day),
            instrument_id=np.arange(9000, 9000 + len(frame)),
            lot_size=100 * share,
            open_interest=frame["open_interest"] * share,
        )
        history.write("contracts", frame, source=f"fo {day}")
    prices = walk([SHARE], CASH_DAYS)
    late = (prices["day"] >= pd.Timestamp(SPLIT)).to_numpy()
    for name in SIDES:
        prices[name] = (prices[name] / np.where(late, ratio, 1)).round(2)
    prices = prices.assign(previous_close=prices["close"].shift(fill_value=1000.0), volume=1000)
    history.write("cash", prices, source="cash")
    history.find_actions()
    return folder


def worked_out(home: Path, days: Sequence[date]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summary of all days and percentiles of some, as the store has them."""
    desk = open_desk("nse", LAST, home=home)
    gaps = iv_history.find_gaps(desk, DAYS[0])
    iv_history.save(desk, "run", gaps, iv_history.collect(desk, gaps, HereWorkers()))
    rows = pd.concat([desk.partitions.read(day, iv_history.SUMMARY) for day in DAYS])
    ranks = [(row.day, row.percentile, row.rank, row.regime, row.sample, row.window_sessions)
             for day in days for row in desk.store.ranks(day).values()]  # fmt: skip
    return rows.reset_index(drop=True), pd.DataFrame(ranks)


def test_an_invented_split_leaves_an_invented_share_as_its_twin(tmp_path: Path) -> None:
    whole, split = home_of(tmp_path / "whole", 1), home_of(tmp_path / "split", RATIO)
    found = ParquetHistory(split / "history" / "nse", "nse").actions(DAYS[0], LAST)
    mine = [(item.day, item.ratio) for item in found if item.symbol == SHARE]
    assert mine == [(SPLIT, RATIO)]
    after = [day for day in DAYS if day >= SPLIT]
    (twin, ranks), (ours, own_ranks) = (worked_out(home, after) for home in (whole, split))
    late = (twin["day"] >= pd.Timestamp(SPLIT)).to_numpy()
    assert (ours.loc[late, "spot"] * RATIO).tolist() == pytest.approx(
        twin.loc[late, "spot"].tolist()
    )
    # premiums are rounded to the paisa, which is eight times as much of an eighth
    for name in IMPLIED:
        assert np.isfinite(twin[name]).all(), name
        np.testing.assert_allclose(ours[name], twin[name], atol=2.5e-3, err_msg=name)
    for name in REALISED:
        assert np.isfinite(twin[name]).all(), name
        np.testing.assert_allclose(ours[name], twin[name], atol=1.5e-3, err_msg=name)
    for name in ("pcr_volume", "pcr_oi", "quality", "reason", "flags", "options_traded"):
        assert ours[name].tolist() == twin[name].tolist(), name
    # 20 days make a percentile, and each day's is its twin's
    assert len(ranks) == len(after)
    assert ranks.iloc[:, 1].notna().all()
    pd.testing.assert_frame_equal(own_ranks, ranks, rtol=0, atol=1.5)
    assert own_ranks.iloc[:, [0, 1, 3, 4, 5]].equals(ranks.iloc[:, [0, 1, 3, 4, 5]])
