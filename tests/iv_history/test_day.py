"""A day's summary on chains made by hand: every column against what went in."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from strikeloom.domain.volatility import IV_EXPIRIES, IV_SUMMARY, Flag, Quality, Unsolved
from strikeloom.iv_history import DaySummary, smile_points, summarise_day
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.nse.sessions import trading_days
from strikeloom.quant.realised import close_to_close, yang_zhang
from strikeloom.settings.all import load_settings
from support.synthetic_chains import DAY, FAR, NEAR, made, walk

IV = load_settings().iv
PEERS = [f"PEER{n:02d}" for n in range(20)]
SESSIONS = trading_days(date(2025, 11, 1), DAY)
NOTHING = walk(PEERS[:1], SESSIONS).head(0)


def _levels() -> dict[tuple[str, date], float]:
    """Near volatilities from 20 to 58 %, the far one a tenth lower."""
    near = {(name, NEAR): 0.2 + 0.02 * n for n, name in enumerate(PEERS)}
    return near | {(name, FAR): 0.9 * vol for (name, _), vol in near.items()}


def _row(found: DaySummary, symbol: str) -> pd.Series:
    return found.summary[found.summary["symbol"] == symbol].iloc[0]


@pytest.fixture(scope="module")
def solved() -> DaySummary:
    silent = [("PEER05", FAR), ("PEER07", NEAR), ("PEER07", FAR)]
    prices = walk(PEERS[:3], SESSIONS)
    return summarise_day(made(_levels(), silent=silent), prices, DAY, IV)


def test_tables_have_their_schema_and_every_symbol_a_row(solved: DaySummary) -> None:
    IV_SUMMARY.check(solved.summary, where="here")
    IV_EXPIRIES.check(solved.expiries, where="here")
    assert solved.summary["symbol"].tolist() == PEERS
    assert len(solved.expiries) == 2 * len(PEERS)


def test_flat_smiles_come_back_as_their_volatility(solved: DaySummary) -> None:
    row = _row(solved, "PEER10")
    near, far = 0.4, 0.36
    t1, t2, t = 14 / 365, 48 / 365, 30 / 365
    month = np.sqrt((near**2 * t1 * (t2 - t) + far**2 * t2 * (t - t1)) / (t2 - t1) / t)
    assert row["atm_iv"] == pytest.approx(near, abs=2e-4)
    assert row["atm_iv_7d"] == pytest.approx(near, abs=2e-4)
    assert row["atm_iv_30d"] == pytest.approx(month, abs=2e-4)
    assert row["atm_iv_60d"] == pytest.approx(far, abs=2e-4)
    assert np.isnan(row["atm_iv_90d"])  # nearly twice the last expiry
    assert row["model_free_30d"] == pytest.approx(month, abs=1e-3)
    assert row["rr25_30d"] == pytest.approx(0, abs=1e-3)
    assert row["bf25_30d"] == pytest.approx(0, abs=1e-3)
    assert (row["quality"], row["reason"]) == (Quality.A.value, "")
    assert row["forward"] == pytest.approx(1000 * np.exp(0.065 * 14 / 365), rel=1e-5)
    assert (row["pcr_volume"], row["pcr_oi"]) == (1.0, 1.0)
    assert (row["options_listed"], row["options_traded"], row["options_fresh"]) == (60, 60, 60)


def test_time_counts_to_the_day_a_series_ends_not_to_its_listed_expiry() -> None:
    """Priced for 9 days, listed for 14 and 48: both expiries give the volatility of 9 days."""
    last = date(2026, 2, 19)
    ends = {("PEER03", NEAR): last, ("PEER03", FAR): last}
    vols = {**_levels(), ("PEER03", NEAR): 0.31, ("PEER03", FAR): 0.31}
    found = summarise_day(made(vols, ends=ends), walk(PEERS[:5], SESSIONS), DAY, IV)
    rows = found.expiries[found.expiries["symbol"] == "PEER03"]
    assert rows["expiry"].dt.date.tolist() == [NEAR, FAR]
    np.testing.assert_allclose(rows["years"], 9 / 365, rtol=1e-12)
    np.testing.assert_allclose(rows["atm_iv"], 0.31, atol=2e-4)
    row = _row(found, "PEER03")
    assert np.isnan(row["atm_iv_30d"])
    assert (row["quality"], row["reason"]) == ("", Unsolved.ENDS_EARLY.value)
    assert row["atm_iv_7d"] == pytest.approx(0.31, abs=2e-4)
    # the others are what they are without it
    without = summarise_day(made(_levels()), walk(PEERS[:5], SESSIONS), DAY, IV)
    assert _row(found, "PEER04")["atm_iv_30d"] == _row(without, "PEER04")["atm_iv_30d"]


def test_volume_counts_units_where_lots_differ() -> None:
    """NIFTY of January 2025 had lots of 25 and of 75 side by side."""
    frame = made(_levels())
    calls = (frame["symbol"] == "PEER03") & (frame["right"] == "CE")
    frame.loc[calls & (frame["expiry"] == pd.Timestamp(NEAR)), "lot_size"] = 25
    frame.loc[calls & (frame["expiry"] == pd.Timestamp(FAR)), "lot_size"] = 75
    puts = (frame["symbol"] == "PEER03") & (frame["right"] == "PE")
    frame.loc[puts, "lot_size"] = 75
    row = _row(summarise_day(frame, walk(PEERS[:3], SESSIONS), DAY, IV), "PEER03")
    assert row["pcr_volume"] == pytest.approx(2 * 75 / (25 + 75))


def test_a_far_expiry_that_did_not_trade_is_carried_and_graded_c(solved: DaySummary) -> None:
    row = _row(solved, "PEER05")
    other = _row(solved, "PEER06")["atm_iv_30d"]
    assert row["quality"] == Quality.C.value
    assert Flag.CARRIED.value in row["flags"].split()
    # peers fell by a tenth from 32 %: so does this one, from 30 %
    assert row["atm_iv_30d"] == pytest.approx(other * 0.30 / 0.32, abs=5e-4)


def test_a_maturity_outside_the_expiries_or_carried_is_flagged_by_its_days(
    solved: DaySummary,
) -> None:
    """Expiries 14 and 48 days ahead: 7 and 60 lie outside, 90 has no volatility at all."""
    assert _row(solved, "PEER10")["flags"].split()[:2] == ["flat_7d", "flat_60d"]
    carried = _row(solved, "PEER05")["flags"].split()
    assert {"carried_from_peers", "carried_60d", "flat_60d"} <= set(carried)
    assert not {"carried_7d", "carried_90d", "flat_90d"} & set(carried)
    listed = {("NIFTY", DAY + timedelta(days=n)): 0.3 for n in (7, 30, 60, 75)}
    row = _row(summarise_day(made(listed), NOTHING, DAY, IV), "NIFTY")
    held = [flag for flag in row["flags"].split() if flag.startswith(("flat", "before", "after"))]
    assert held == ["flat_90d"]


def test_what_did_not_trade_at_all_has_a_row_with_the_reason(solved: DaySummary) -> None:
    row = _row(solved, "PEER07")
    assert np.isnan(row["atm_iv_30d"])
    assert (row["quality"], row["reason"]) == ("", Unsolved.NOT_TRADED.value)
    assert row["options_listed"] == 60


def test_a_thin_week_between_two_liquid_months_is_passed_over() -> None:
    week = date(2026, 3, 10)
    frame = made({("NIFTY", NEAR): 0.3, ("NIFTY", week): 0.5, ("NIFTY", FAR): 0.3})
    thin = (frame["expiry"] == pd.Timestamp(week)) & (frame["right"] != "XX")
    gone = thin & (frame["strike"] < 1000)
    frame.loc[gone, ["open", "high", "low", "close"]] = np.nan
    frame.loc[gone, ["traded"]] = False
    frame.loc[gone, ["lots_traded"]] = 0
    row = _row(summarise_day(frame, NOTHING, DAY, IV), "NIFTY")
    assert row["atm_iv_30d"] == pytest.approx(0.3, abs=1e-3)
    assert row["quality"] == Quality.A.value


def test_one_odd_trade_far_out_is_no_volatility() -> None:
    frame = made(_levels())
    far = (frame["symbol"] == "PEER03") & (frame["expiry"] == pd.Timestamp(FAR))
    option = far & (frame["right"] != "XX")
    lone = option & (frame["strike"] == 1020.0) & (frame["right"] == "CE")
    quiet = option & ~lone
    frame.loc[quiet, ["open", "high", "low", "close"]] = np.nan
    frame.loc[quiet, ["traded"]] = False
    frame.loc[quiet, ["lots_traded"]] = 0
    frame.loc[lone, ["close", "settle"]] = 150.0  # a volatility above 100 %
    row = _row(summarise_day(frame, NOTHING, DAY, IV), "PEER03")
    assert row["quality"] == Quality.C.value
    assert row["atm_iv_30d"] < 0.27


def _quiet(frame: pd.DataFrame, rows: pd.Series) -> None:
    frame.loc[rows, ["open", "high", "low", "close"]] = np.nan
    frame.loc[rows, ["traded"]] = False
    frame.loc[rows, ["lots_traded"]] = 0


def test_a_wing_beyond_the_last_quote_is_not_read() -> None:
    """The far calls end a third of a standard deviation out, rising: 25 delta is extrapolated."""
    frame = made(_levels())
    far = (frame["symbol"] == "PEER03") & (frame["expiry"] == pd.Timestamp(FAR))
    calls = far & (frame["right"] == "CE")
    _quiet(frame, calls & (frame["strike"] > 1050))
    frame.loc[calls & (frame["strike"] == 1040), ["close", "settle"]] *= 1.05
    found = summarise_day(frame, NOTHING, DAY, IV)
    rows = found.expiries[found.expiries["symbol"] == "PEER03"]
    assert rows["quality"].tolist() == ["A", "A"]
    assert np.isnan(rows[["rr25", "bf25", "model_free"]].to_numpy()[1]).all()
    assert np.isfinite(rows["atm_iv"]).all()
    # the near smile has wings, 14 days ahead: too few for 30
    assert rows[["rr25", "bf25"]].to_numpy()[0] == pytest.approx([0, 0], abs=1e-3)
    row = _row(found, "PEER03")
    assert np.isnan(row[["rr25_30d", "bf25_30d", "model_free_30d"]].to_numpy(float)).all()
    assert np.isfinite(row["atm_iv_30d"])


@pytest.mark.parametrize("lots", [1, 500])
def test_a_thin_far_expiry_counts_when_it_knows_more_than_the_peers(lots: int) -> None:
    """Three old quotes around the forward, a tenth above the peers' line."""
    thin = {**_levels(), ("PEER03", FAR): 0.9 * 0.26 * 1.1}
    # peers that scatter by a fourteenth, as real ones do
    rng = np.random.default_rng(8)
    noisy = {key: vol * float(np.exp(rng.normal(0, 0.07))) for key, vol in thin.items()
             if key[1] == FAR and key[0] != "PEER03"}  # fmt: skip
    frame = made(thin | noisy)
    far = (frame["symbol"] == "PEER03") & (frame["expiry"] == pd.Timestamp(FAR))
    option = far & (frame["right"] != "XX")
    kept = (frame["strike"] == 980.0) & (frame["right"] == "PE")
    kept |= frame["strike"].isin([1020.0, 1040.0]) & (frame["right"] == "CE")
    _quiet(frame, option & ~kept)
    frame.loc[option & kept, "lots_traded"] = lots
    frame.loc[option & kept, "settle"] *= 1.01  # not settled at their close: old trades
    found = summarise_day(frame, NOTHING, DAY, IV)
    rows = found.expiries.set_index(["symbol", "expiry"])
    row = rows.loc[("PEER03", pd.Timestamp(FAR))]
    assert row["atm_iv"] == pytest.approx(0.2574, abs=0.003)
    expected = Quality.C if lots == 1 else Quality.B
    assert row["quality"] == expected.value
    assert (row["term_iv"] == row["atm_iv"]) == (expected == Quality.B)
    near, full = rows.loc[("PEER03", pd.Timestamp(NEAR))], rows.loc[("PEER04", pd.Timestamp(FAR))]
    assert max(near["atm_error"], full["atm_error"]) < 0.02 < row["atm_error"]


def test_realised_volatility_is_that_of_the_symbols_own_sessions(solved: DaySummary) -> None:
    prices = walk(PEERS[:3], SESSIONS)
    own = prices[prices["symbol"] == "PEER01"]
    o, h, low, c = (own[name].to_numpy() for name in ("open", "high", "low", "close"))
    row = _row(solved, "PEER01")
    assert row["rv_cc_20"] == pytest.approx(close_to_close(c, 20, 250)[-1])
    assert row["rv_yz_60"] == pytest.approx(yang_zhang(o, h, low, c, 60, 250)[-1])
    assert row["iv_minus_rv"] == pytest.approx(row["atm_iv_30d"] - row["rv_cc_20"])
    absent = _row(solved, "PEER09")
    assert np.isnan(absent["rv_cc_20"])
    assert Flag.NO_PRICE.value in absent["flags"].split()


def test_the_night_of_an_action_without_ratio_is_left_out_and_flagged() -> None:
    prices = walk(PEERS, SESSIONS)
    step = SESSIONS[-15]
    own = prices["symbol"] == "PEER02"
    returns = np.log(prices.loc[own, "close"]).diff().iloc[-20:]
    assert returns.index[5] == prices.index[own & (prices["day"] == pd.Timestamp(step))][0]
    late = own & (prices["day"] >= pd.Timestamp(step))
    prices.loc[late, ["open", "high", "low", "close"]] *= 0.6
    action = CorporateAction("PEER02", step, "demerger", None)
    found = summarise_day(made(_levels()), prices, DAY, IV, actions=[action])
    row = _row(found, "PEER02")
    expected = returns.drop(returns.index[5]).std() * np.sqrt(250)
    assert row["rv_cc_20"] == pytest.approx(expected, rel=1e-9)
    assert row["rv_yz_20"] < 0.5
    assert Flag.BROKEN.value in row["flags"].split()
    later = _row(summarise_day(made(_levels()), prices, DAY, IV), "PEER02")
    assert later["rv_cc_20"] > 1.5


def test_the_night_of_an_unconfirmed_step_is_left_out_and_asked_about() -> None:
    prices = walk(PEERS, SESSIONS)
    action = CorporateAction("PEER02", SESSIONS[-15], "asked", None, evidence="no future moved")
    row = _row(summarise_day(made(_levels()), prices, DAY, IV, actions=[action]), "PEER02")
    own = prices[prices["symbol"] == "PEER02"]
    returns = np.log(own["close"]).diff().iloc[-20:]
    expected = returns.drop(returns.index[5]).std() * np.sqrt(250)
    assert row["rv_cc_20"] == pytest.approx(expected, rel=1e-9)
    assert Flag.ASKED.value in row["flags"].split()
    assert Flag.BROKEN.value not in row["flags"].split()


def test_an_action_before_a_rename_is_one_of_the_renamed_share() -> None:
    """A demerger of FORMER, which became PEER02 eight sessions later."""
    prices = walk(PEERS, SESSIONS)
    step, renamed = SESSIONS[-15], SESSIONS[-7]
    late = (prices["symbol"] == "PEER02") & (prices["day"] >= pd.Timestamp(step))
    prices.loc[late, ["open", "high", "low", "close"]] *= 0.6
    actions = [
        CorporateAction("FORMER", step, "demerger", None),
        CorporateAction("FORMER", renamed, "rename", None, "PEER02"),
    ]
    row = _row(summarise_day(made(_levels()), prices, DAY, IV, actions=actions), "PEER02")
    assert row["rv_cc_20"] < 0.5
    assert Flag.BROKEN.value in row["flags"].split()


def test_a_session_missing_for_one_symbol_is_flagged() -> None:
    prices = walk(PEERS, SESSIONS)
    lost = (prices["symbol"] == "PEER04") & (prices["day"] == pd.Timestamp(SESSIONS[-9]))
    found = summarise_day(made(_levels()), prices[~lost], DAY, IV)
    flagged = found.summary[found.summary["flags"].str.contains(Flag.PRICE_GAP.value)]
    assert flagged["symbol"].tolist() == ["PEER04"]


@pytest.mark.parametrize("lost", [1, 2])
def test_sessions_without_a_cash_file_are_flagged_and_not_bridged(lost: int) -> None:
    """No symbol has a price there, so the gap shows only against the calendar."""
    prices = walk(PEERS[:3], SESSIONS)
    gone = prices["day"].isin([pd.Timestamp(day) for day in SESSIONS[-14 : -14 + lost]])
    row = _row(summarise_day(made(_levels()), prices[~gone], DAY, IV), "PEER02")
    assert Flag.PRICE_GAP.value in row["flags"].split()
    assert np.isfinite(row["rv_cc_10"])
    assert np.isfinite(row["rv_yz_20"]) == (lost == 1)


def test_later_prices_change_nothing() -> None:
    prices = walk(PEERS, SESSIONS)
    later = prices.tail(1).assign(day=pd.Timestamp("2026-02-11"), close=1.0)
    frame = made(_levels())
    before = summarise_day(frame, prices, DAY, IV)
    after = summarise_day(frame, pd.concat([prices, later]), DAY, IV)
    pd.testing.assert_frame_equal(before.summary, after.summary)


def test_the_near_month_is_left_three_sessions_before_its_end() -> None:
    """2026-02-20 is the third session from the end of 2026-02-24, 2026-02-19 the fourth."""
    april = date(2026, 4, 28)
    vols = {("NIFTY", NEAR): 0.5, ("NIFTY", FAR): 0.2, ("NIFTY", april): 0.2}
    # five days of 50 % and 39 of 20 %, by their shares 30 days ahead; then two months of 20 %
    share = (39 - 30) / (39 - 5)
    before = np.sqrt((share * 5 * 0.5**2 + (1 - share) * 39 * 0.2**2) / 30)
    for day, expected in ((date(2026, 2, 19), before), (date(2026, 2, 20), 0.2)):
        frame = made(vols, index=["NIFTY"], day=day)
        row = _row(summarise_day(frame, NOTHING, day, IV), "NIFTY")
        assert row["vix_method"] == pytest.approx(expected, abs=0.005)


def test_a_day_without_a_live_option_still_has_its_rows() -> None:
    found = summarise_day(made({("ACME", NEAR): 0.3}, day=NEAR), NOTHING, NEAR, IV)
    row = _row(found, "ACME")
    assert row["reason"] == Unsolved.NOT_LISTED.value
    assert len(found.expiries) == 0


def test_smile_points_show_every_quote_and_the_curve() -> None:
    points = smile_points(made({("ACME", NEAR): 0.3}), DAY, IV)
    assert set(points["what"]) == {"fit", "fresh"}
    assert (points.loc[points["what"] == "fresh", "vol"] - 0.3).abs().max() < 1e-3
