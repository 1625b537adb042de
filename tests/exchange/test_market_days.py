"""The synthetic market has the calendar, the traps and the regimes of a real one."""

import hashlib
from datetime import date

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.errors import SettingsError
from strikeloom.exchange.market.synthetic import (
    generate_synthetic,
    market_name,
    seed_of,
    synthetic_days,
)
from strikeloom.exchange.market.synthetic.paths import daily_paths
from strikeloom.exchange.market.synthetic.underlyings import LISTINGS, SPLIT_RATIO, SPLIT_SYMBOL
from strikeloom.nse.underlyings import known

BEFORE, AFTER, LAST = date(2026, 4, 6), date(2026, 4, 7), date(2026, 6, 10)


def _options(frame):
    return frame[frame["right"] != "XX"]


def _hashes(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_an_interrupted_run_is_finished_by_another_with_the_same_bytes(synthetic_history, tmp_path):
    class Interrupted(ParquetHistory):
        writes = 0

        def write(self, dataset, frame, *, source):
            self.writes += 1
            if self.writes == 25:
                raise KeyboardInterrupt
            return super().write(dataset, frame, source=source)

    with pytest.raises(KeyboardInterrupt):
        generate_synthetic(7, Interrupted(tmp_path, "synthetic-7"))
    assert not (tmp_path / "underlyings.json").exists()
    ticks = []
    last = generate_synthetic(
        7, ParquetHistory(tmp_path, "synthetic-7"), progress=lambda *step: ticks.append(step)
    )
    assert last == synthetic_days()[1:]
    assert ticks == [(n, 91) for n in range(1, 92)]
    assert _hashes(tmp_path) == _hashes(synthetic_history.folder)


def test_another_seed_is_another_market():
    assert not np.allclose(daily_paths(7, 5).close, daily_paths(8, 5).close)
    assert seed_of(market_name(12)) == 12
    assert seed_of("nse") is None
    with pytest.raises(SettingsError, match="has no seed"):
        seed_of("synthetic-")


def test_days_and_names(synthetic_history):
    first, last, quoted = synthetic_days()
    days = synthetic_history.days()
    assert (len(days), days[0], days[-1]) == (90, first, last)
    assert (last, quoted) == (LAST, date(2026, 6, 11))
    # holidays of the exchange's circular of 2025-12-12 are no days of this market either
    closed = {"2026-03-03", "2026-03-26", "2026-03-31", "2026-04-03", "2026-04-14", "2026-05-01"}
    assert not closed & {day.isoformat() for day in days}
    assert date(2026, 2, 1) in days  # the Sunday session
    assert len({row.symbol for row in LISTINGS}) == 30
    assert not {row.symbol for row in LISTINGS} & set(known())
    assert set(synthetic_history.underlyings()) == {row.symbol for row in LISTINGS}


def test_expiries_follow_the_exchange(synthetic_history):
    frame = _options(synthetic_history.contracts(date(2026, 2, 25)))
    listed = {
        symbol: [day.isoformat() for day in sorted(rows["expiry"].dt.date.unique())]
        for symbol, rows in frame.groupby("symbol")
    }
    # the Tuesdays 3 and 31 March are holidays: their contracts end the day before
    months = ["2026-03-30", "2026-04-28", "2026-05-26"]
    weeks = ["2026-03-02", "2026-03-10", "2026-03-17", "2026-03-24"]
    assert listed["SYNDEX"] == sorted(weeks + months)
    assert listed["SYNBANK"] == months
    assert listed["AVANTIKA"] == months


def test_a_split_divides_strikes_and_keeps_ids(synthetic_history):
    was = _options(synthetic_history.contracts(BEFORE, symbols=[SPLIT_SYMBOL]))
    now = _options(synthetic_history.contracts(AFTER, symbols=[SPLIT_SYMBOL]))
    both = was.merge(now, on=["instrument_id", "right"], suffixes=("_was", "_now"))
    assert len(both) > 100
    assert np.allclose(both["strike_was"], 5 * both["strike_now"])
    assert (5 * both["lot_size_was"] == both["lot_size_now"]).all()
    traded = both[both["traded_was"]]
    assert np.array_equal(traded["close_was"], traded["previous_close_now"])
    units = both["open_interest_now"] - both["oi_change_now"]
    assert (units == 5 * both["open_interest_was"]).all()
    cash = synthetic_history.cash(BEFORE, AFTER, symbols=[SPLIT_SYMBOL]).sort_values("day")
    assert cash["previous_close"].iloc[1] == cash["close"].iloc[0]
    assert 4.5 < cash["close"].iloc[0] / cash["close"].iloc[1] < 5.5
    others = synthetic_history.cash(BEFORE, AFTER).query("symbol != @SPLIT_SYMBOL")
    steps = others.groupby("symbol")["close"].agg(lambda c: c.iloc[1] / c.iloc[0])
    assert steps.between(0.8, 1.25).all()


def test_untraded_contracts_have_no_price_of_the_day(synthetic_history):
    frame = _options(synthetic_history.contracts(LAST))
    idle = frame[~frame["traded"]]
    assert 0.2 < len(idle) / len(frame) < 0.6
    assert idle[["open", "high", "low", "close"]].isna().all(axis=None)
    assert (idle["lots_traded"] == 0).all()
    assert idle["settle"].notna().all()
    stale = idle["previous_close"].dropna()
    assert len(stale) > 100
    assert (stale != idle.loc[stale.index, "settle"]).mean() > 0.8


def test_expiry_day_settles_on_the_underlying(synthetic_history):
    expiry = date(2026, 5, 26)
    frame = synthetic_history.contracts(expiry)
    ending = frame[frame["expiry"].dt.date == expiry]
    assert set(ending["symbol"]) == {row.symbol for row in LISTINGS}
    assert (ending["final_settlement"] == ending["underlying"]).all()
    assert ending.loc[ending["right"] != "XX", "settle"].isna().all()
    rest = frame[frame["expiry"].dt.date != expiry]
    assert rest["final_settlement"].isna().all()
    cash = synthetic_history.cash(expiry, expiry).set_index("symbol")["close"]
    level = ending.groupby("symbol")["final_settlement"].first()
    assert np.allclose(level[cash.index], cash)


def test_open_interest_adds_up_from_day_to_day(synthetic_history):
    days = synthetic_history.days()[50:54]
    frames = [_options(synthetic_history.contracts(day)) for day in days]
    for was, now in zip(frames, frames[1:], strict=False):
        key = ["symbol", "expiry", "strike", "right"]
        both = was.merge(now, on=key, how="right", suffixes=("_was", ""))
        held = both["open_interest_was"].fillna(0)
        assert (both["open_interest"] - both["oi_change"] == held).all()
        assert (both["open_interest"] >= 0).all()
        assert (both["oi_change"].abs() <= both["lots_traded"] * both["lot_size"]).all()


def _implied(forward, strike, years, discount, price, is_call):
    sign = 1 if is_call else -1

    def gap(vol):
        d1 = np.log(forward / strike) / (vol * years**0.5) + vol * years**0.5 / 2
        d2 = d1 - vol * years**0.5
        value = sign * (forward * norm.cdf(sign * d1) - strike * norm.cdf(sign * d2))
        return discount * value - price

    return brentq(gap, 0.01, 3)


def test_volatility_has_a_skew_and_a_term_structure(synthetic_history):
    frame = _options(synthetic_history.contracts(LAST, symbols=["SYNDEX"]))
    slopes = {}
    for expiry, rows in frame.groupby("expiry"):
        years = (expiry.date() - LAST).days / 365
        discount = np.exp(-0.065 * years)
        forward = rows["underlying"].iloc[0] / discount
        wing = 1.2 * 0.13 * years**0.5
        puts = rows[(rows["right"] == "PE") & rows["traded"]].set_index("strike")["close"]
        calls = rows[(rows["right"] == "CE") & rows["traded"]].set_index("strike")["close"]

        def vol(side, level, is_call, forward=forward, years=years, discount=discount):
            strike = side.index[np.abs(side.index - level).argmin()]
            return _implied(forward, strike, years, discount, side[strike], is_call)

        low = vol(puts, forward * np.exp(-wing), is_call=False)
        middle = vol(calls, forward, is_call=True)
        high = vol(calls, forward * np.exp(wing), is_call=True)
        assert low > middle
        assert low > high
        slopes[expiry] = middle
    levels = list(slopes.values())
    assert max(levels) - min(levels) > 0.002


def test_regimes_of_all_kinds_occur():
    """The rank of today's volatility in the last 80 days, over the 30 underlyings."""
    vol = daily_paths(7, 90).spot_vol
    rank = (vol[-80:-1] < vol[-1]).mean(axis=0)
    counts = np.histogram(rank, [0, 0.25, 0.60, 0.80, 1.01])[0]
    assert (counts >= 2).all()


def test_volatility_clusters_and_reverts():
    paths = daily_paths(7, 6000)
    returns = np.abs(np.diff(np.log(paths.close), axis=0))
    for lag in (1, 5, 10):
        together = [np.corrcoef(r[lag:], r[:-lag])[0, 1] for r in returns.T]
        assert np.mean(together) > 0.02
    gap = np.log(paths.spot_vol / paths.long_vol)
    assert abs(gap.mean()) < 0.03
    assert gap.std() < 0.5
    falls = np.corrcoef(np.diff(np.log(paths.close[:, 0])), np.diff(gap[:, 0]))[0, 1]
    assert falls < -0.2  # volatility rises as the market falls


def test_the_split_is_known_from_the_contracts_alone(synthetic_history):
    actions = synthetic_history.actions(date(2026, 1, 1), LAST)
    (found,) = (item for item in actions if item.symbol == SPLIT_SYMBOL)
    assert (found.day, found.ratio) == (AFTER, SPLIT_RATIO)
