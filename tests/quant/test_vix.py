"""The exchange's index method against flat smiles, whose variance is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from strikeloom.quant.black76 import price
from strikeloom.quant.vix import between_months, strip_variance

FORWARD, YEARS, RATE, VOL = 25_012.0, 30 / 365, 0.06, 0.14
LISTED = np.arange(19_000.0, 32_001.0, 50.0)


def _strip(keep: np.ndarray | None = None, **change: object) -> float:
    """Variance of calls and puts at every kept strike, priced at one volatility."""
    strike = np.concatenate((LISTED, LISTED))
    call = np.repeat([True, False], len(LISTED))
    paid = price(FORWARD, strike, YEARS, VOL, call, np.exp(-RATE * YEARS))
    lots = np.full(len(strike), 100.0)
    for at, (value, size) in dict(change.get("odd", {})).items():  # type: ignore[call-overload]
        row = (strike == at[0]) & (call == at[1])
        paid[row], lots[row] = value, size
    rows = np.ones(len(strike), dtype=bool) if keep is None else np.isin(strike, keep)
    return strip_variance(
        strike[rows], paid[rows], call[rows], lots[rows], LISTED, FORWARD, YEARS, RATE
    )


def test_a_flat_smile_gives_its_own_volatility() -> None:
    # the sum over strikes 50 apart is within a few parts in ten thousand of the integral
    assert np.sqrt(_strip()) == pytest.approx(VOL, rel=3e-4)


def test_strikes_that_did_not_trade_are_filled_in() -> None:
    coarse = LISTED[(LISTED % 250 == 0) | (np.abs(LISTED - FORWARD) < 300)]
    assert np.sqrt(_strip(coarse)) == pytest.approx(np.sqrt(_strip()), rel=1e-3)


def test_a_far_option_dearer_than_a_nearer_one_goes_by_its_lots() -> None:
    clean = _strip()
    far_put, near_put = (23_000.0, False), (24_000.0, False)
    assert _strip(odd={far_put: (400.0, 1.0)}) == pytest.approx(clean, rel=2e-3)
    assert _strip(odd={near_put: (1.0, 1.0)}) == pytest.approx(clean, rel=2e-3)
    # the published sum would have taken the wrong price: 2/T x dK/K^2 x 400 is 13 % of the total
    assert 0.04 * clean < 2 / YEARS * 50 / 23_000**2 * 400


def test_a_far_end_that_hardly_traded_is_left_out_and_one_that_did_counts() -> None:
    whole = LISTED[LISTED >= 24_000]
    end, dear = 23_000.0, 50.0  # a wide offer of something worth 8, below the 70 of its neighbour
    put = (end, False)
    ended, with_end = _strip(whole), np.append(whole, end)
    assert _strip(with_end, odd={put: (dear, 3.0)}) == pytest.approx(ended, rel=1e-12)
    # as many lots as its neighbour: 20 strikes are filled in on the way to it
    on_the_way = 2 / YEARS * 20 * 50 / 23_500**2 * dear
    assert _strip(with_end, odd={put: (dear, 100.0)}) > ended + on_the_way
    # near the others a thin end stays
    near = np.append(whole, 23_950.0)
    assert _strip(near, odd={(23_950.0, False): (60.0, 1.0)}) > ended


def test_too_few_prices_or_no_time_is_no_number() -> None:
    assert np.isnan(_strip(LISTED[np.abs(LISTED - FORWARD) < 120]))
    nothing = np.empty(0)
    flags = nothing.astype(bool)
    for years, forward in ((0.0, FORWARD), (YEARS, np.nan), (YEARS, 1.0)):
        found = strip_variance(nothing, nothing, flags, nothing, LISTED, forward, years, RATE)
        assert np.isnan(found)


def test_thirty_days_between_two_months_is_the_published_example() -> None:
    # Cboe, "The CBOE Volatility Index - VIX" white paper (2014): 35,924 and 46,394 minutes,
    # variances 0.01846292 and 0.01882101, index 13.69
    times = (35_924 / 525_600, 46_394 / 525_600)
    assert 100 * between_months(0.01846292, 0.01882101, times, 30) == pytest.approx(13.69, abs=5e-3)


def test_a_line_that_ends_below_zero_is_no_volatility() -> None:
    assert np.isnan(between_months(0.01, 0.2, (0.1, 0.12), 30))
    assert np.isnan(between_months(np.nan, 0.2, (0.05, 0.12), 30))
