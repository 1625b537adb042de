"""Choice and weight of quotes, and whole real days through to the smiles."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from strikeloom.quant.black76 import greeks
from strikeloom.quant.forwards import weighted_median
from strikeloom.quant.implied.solver import Reason, implied_vol
from strikeloom.quant.smile.arbitrage import find_arbitrage
from strikeloom.quant.smile.fit import SmileKind, fit_smiles
from strikeloom.quant.smile.quotes import out_of_the_money, precision


def test_one_side_of_each_strike_above_the_floor() -> None:
    strike = np.array([90.0, 100, 110, 90, 100, 110, 120, 130, 130])
    call = np.array([False, False, False, True, True, True, True, True, True])
    price = np.array([1.0, 3, 12, 12, 3, 1, 0.05, np.nan, 0.1])
    found = out_of_the_money(price, 100.0, strike, call, 0.05)
    assert found.tolist() == [True, False, False, False, True, True, False, False, True]
    assert not out_of_the_money(1.0, np.nan, 100.0, True, 0.05)
    assert not out_of_the_money(1.0, 100.0, -5.0, False, 0.05)


def test_precision_is_the_documented_sum_of_errors() -> None:
    # 16 lots: 0.012^2 / 8; tick 0.05 on a vega of 10: (0.3 x 0.005)^2
    expected = 1 / (0.0012**2 + 0.012**2 / 8 + 0.0015**2)
    assert precision(10.0, 16, True, 0.05) == pytest.approx(expected)
    assert precision(10.0, 16, False, 0.05) == pytest.approx(1 / (1 / expected + 0.006**2))
    assert precision(10.0, 0, True, 0.05) == precision(10.0, 1, True, 0.05)
    assert precision([0.0, -1.0], 5, True, 0.05).tolist() == [0, 0]
    assert np.isnan(precision(np.nan, 5, True, 0.05))
    rising = precision(10.0, [1, 10, 100, 1000], True, 0.05)
    assert (np.diff(rising) > 0).all()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("day", "most"), [(date(2026, 2, 10), 0.0025), (date(2026, 1, 27), 0.0025)], ids=str
)
def test_smiles_of_a_whole_real_day(
    shared_data: Path, tmp_path: Path, day: date, most: float
) -> None:
    """Every index and stock of a day (the second one an expiry day): near, and free."""
    from strikeloom.adapters.bhavcopy import import_paths
    from strikeloom.adapters.parquet.history import ParquetHistory
    from strikeloom.nse.sessions import session, years_array

    name = f"BhavCopy_NSE_FO_0_0_0_{day:%Y%m%d}_F_0000.csv.zip"
    history = ParquetHistory(tmp_path / "nse", "nse")
    import_paths([shared_data / "fo_bhavcopy" / "udiff" / name], history)
    rows = history.contracts(day)
    rows = rows[rows["traded"] & (rows["right"] != "XX") & (rows["expiry"].dt.date > day)]
    keys = rows.groupby(["symbol", "expiry"], sort=True)
    group = keys.ngroup().to_numpy()
    slices = keys["underlying"].first().reset_index()
    years = years_array(session(day).close, slices["expiry"].to_numpy())
    discount = np.exp(-0.065 * years)
    pairs = rows.assign(group=group).pivot_table(
        index=["group", "strike"], columns="right", values=["close", "lots_traded"]
    )
    pairs = pairs.dropna().reset_index()
    at, k = pairs["group"].to_numpy(), pairs["strike"].to_numpy()
    implied = k + (pairs["close", "CE"] - pairs["close", "PE"]).to_numpy() / discount[at]
    lots = pairs["lots_traded"].to_numpy().min(axis=1)
    forward = weighted_median(implied, lots, at, len(slices))

    strike, price = rows["strike"].to_numpy(), rows["close"].to_numpy()
    call, lots = (rows["right"] == "CE").to_numpy(), rows["lots_traded"].to_numpy()
    given = (forward[group], strike, years[group])
    vol, reason = implied_vol(price, *given, call, discount[group])
    use = out_of_the_money(price, forward[group], strike, call, 0.05) & (reason == Reason.OK)
    vega = greeks(*given, vol, call, discount[group]).vega
    weight = np.where(use, precision(vega, lots, rows["settle"].to_numpy() == price, 0.05), 0)
    moneyness = np.log(strike / forward[group])
    surface = np.unique(slices["symbol"].to_numpy(), return_inverse=True)[1].astype(np.int64)
    fit = fit_smiles(moneyness, vol**2 * years[group], weight, group, years, surface, threads=2)

    liquid = np.abs(fit.residual[use & (lots >= 50)])
    assert len(liquid) > 4000
    assert np.median(liquid) <= most
    assert np.count_nonzero(fit.kind == SmileKind.FULL) > 200
    arbitrage = find_arbitrage(fit.curves, years, surface)
    assert not arbitrage.butterfly.any()
    assert not arbitrage.calendar.any()
