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
    listed = change.get("listed", LISTED)
    return strip_variance(
        strike[rows], paid[rows], call[rows], lots[rows], listed, FORWARD, YEARS, RATE
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


def test_flat_far_puts_that_differ_by_ticks_leave_no_gap() -> None:
    """On 2024-07-30 twelve puts of 4.1 to 5.5 rupees, the furthest with most lots, were all lost.

    Of each pair that rose the one with fewer lots went, and the end, now alone, went for its
    distance: India VIX was 12.88, the figure 12.56.
    """
    flat = LISTED[(LISTED >= 22_000) & (LISTED < 23_000)]
    ticks = np.random.default_rng(3).choice([-0.4, -0.2, 0.0, 0.2, 0.4], len(flat))
    lots = np.where(flat == flat[0], 4_000.0, np.random.default_rng(4).integers(1, 400, len(flat)))
    ticks[0] = 0.4
    liquid = {(23_000.0, False): (8.0, 30_000.0)}
    noisy = {(k, False): (5.0 + t, n) for k, t, n in zip(flat, ticks, lots, strict=True)} | liquid
    level = {(k, False): (5.2, n) for k, n in zip(flat, lots, strict=True)} | liquid
    whole, ended = LISTED[LISTED >= 22_000], LISTED[LISTED >= 23_000]
    assert _strip(whole, odd=noisy) == pytest.approx(_strip(whole, odd=level), rel=2e-3)
    added = 2 / YEARS * len(flat) * 50 / 22_500**2 * 5.2
    without = _strip(ended, odd=liquid)
    assert _strip(whole, odd=noisy) - without == pytest.approx(added, rel=0.05)


def test_strikes_that_are_not_listed_make_no_gap() -> None:
    """Quarterly expiries list every 1,000 points far out: the next listed strike is the next."""
    end = {(22_000.0, False): (5.0, 3.0)}
    near = LISTED[LISTED >= 23_000]
    listed = np.append(22_000.0, near)
    ended = _strip(near, odd=end)
    assert _strip(listed, odd=end) == pytest.approx(ended, rel=1e-12)  # 19 strikes in between
    assert _strip(listed, odd=end, listed=listed) > ended * 1.001


def test_two_far_ends_are_no_support_for_each_other() -> None:
    """On 2026-03-18 puts of 98 and 1,067 lots lay 500 and 1,000 points below one of 23,881."""
    near = LISTED[LISTED >= 24_000]
    ends = {(23_500.0, False): (31.0, 4.0), (23_000.0, False): (72.0, 8.0)}
    with_ends = np.concatenate(([23_000.0, 23_500.0], near))
    assert _strip(with_ends, odd=ends) == pytest.approx(_strip(near), rel=1e-12)


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
