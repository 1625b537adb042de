"""Fits against known parameters, models of other kinds, wild quotes and garbage."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quant.smile.cases import GOOD
from strikeloom.quant.smile.arbitrage import find_arbitrage
from strikeloom.quant.smile.curves import Curves, durrleman, total_variance, volatility
from strikeloom.quant.smile.fit import Fit, QuoteReason, SmileKind, fit_smiles


def _fit(k, w, weight=None, group=None, years=(0.1,), surface=None, **more) -> Fit:
    k, w = np.asarray(k, dtype=float), np.asarray(w, dtype=float)
    years = np.asarray(years, dtype=float)
    weight = np.ones(len(k)) if weight is None else np.asarray(weight, dtype=float)
    group = np.zeros(len(k), dtype=np.int64) if group is None else np.asarray(group)
    surface = np.zeros(len(years), dtype=np.int64) if surface is None else np.asarray(surface)
    return fit_smiles(k, w, weight, group, years, surface, **more)


def _quotes(curve: Curves, count: int = 15, reach: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    k = np.linspace(-reach, reach, count) * float(np.sqrt(total_variance(curve, 0.0).w))
    return k, total_variance(curve, k).w


@pytest.mark.parametrize("name", ["week", "month", "steep", "long", "event"])
def test_known_parameters_come_back_from_noiseless_quotes(name: str) -> None:
    k, w = _quotes(GOOD[name])
    fit = _fit(k, w)
    assert fit.kind.tolist() == [SmileKind.FULL]
    for found, known in zip(fit.curves, GOOD[name], strict=True):
        assert found[0] == pytest.approx(float(known), rel=2e-3, abs=1e-4 * float(w.max()))
    # and with them the curve, also far beyond the quotes
    far, exact = _quotes(GOOD[name], 41, reach=12.0)
    assert total_variance(fit.curves, far).w == pytest.approx(exact, rel=2e-5)
    assert np.abs(fit.residual).max() < 1e-6
    assert fit.moved[0] == 0


def test_scale_of_prices_time_and_weights_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    k, w = _quotes(GOOD["month"], 21)
    w = w * np.exp(rng.normal(0, 0.03, len(w)))
    weight = rng.uniform(0.2, 3, len(k))
    one = _fit(k, w, weight)
    # strikes and forward in paise: the same moneyness to rounding
    forward = 1234.5
    again = _fit(np.log(forward * np.exp(k) * 100 / (forward * 100)), w, weight * 1e7)
    assert np.allclose(again.residual, one.residual, atol=1e-8)
    # a slice four times as wide and sixteen times as uncertain is the same picture
    wide = _fit(4 * k, 16 * w, weight, years=(1.6,))
    assert np.allclose(wide.residual, one.residual, atol=2e-4)
    assert _fit(k[::-1], w[::-1], weight[::-1]).residual[::-1] == pytest.approx(one.residual)


def test_weights_matter() -> None:
    k, w = _quotes(GOOD["month"], 12)
    bent = w.copy()
    bent[::2] *= 1.06
    heavy = np.where(np.arange(12) % 2, 400.0, 1.0)
    odd, even = _fit(k, bent, heavy), _fit(k, bent, 1 / heavy)
    assert np.abs(odd.residual[1::2]).mean() < 0.2 * np.abs(odd.residual[::2]).mean()
    assert np.abs(even.residual[::2]).mean() < 0.2 * np.abs(even.residual[1::2]).mean()


@pytest.mark.parametrize("place", range(21))
@pytest.mark.parametrize("factor", [0.2, 5.0])
def test_one_wild_quote_does_not_ruin_a_liquid_slice(place: int, factor: float) -> None:
    rng = np.random.default_rng(place)
    curve = GOOD["month"]
    k, w = _quotes(curve, 21)
    w = w * np.exp(rng.normal(0, 0.01, 21))
    w[place] *= factor
    fit = _fit(k, w)
    true = volatility(curve, k, 0.1)
    others = np.arange(21) != place
    assert np.abs(volatility(fit.curves, k, 0.1) - true)[others].max() < 0.006
    assert fit.reason[place] == QuoteReason.WILD
    assert np.count_nonzero(fit.reason) <= 2
    assert abs(fit.residual[place]) > 0.1


def _heston(years: np.ndarray, deviations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Implied volatilities of Heston's model, priced by QuantLib to 1e-12 or so."""
    today = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, ql.Actual365Fixed()))
    spot = ql.QuoteHandle(ql.SimpleQuote(1.0))
    process = ql.HestonProcess(flat, flat, spot, 0.04, 1.5, 0.05, 0.5, -0.6)
    engine = ql.AnalyticHestonEngine(ql.HestonModel(process), 1e-13, 1000000)
    k = deviations * 0.2 * np.sqrt(years)[:, None]
    vol = np.empty(k.shape)
    for i, t in enumerate(years):
        exercise = ql.EuropeanExercise(today + round(365 * t))
        for j, x in enumerate(np.exp(k[i])):
            kind = ql.Option.Call if x >= 1 else ql.Option.Put
            option = ql.EuropeanOption(ql.PlainVanillaPayoff(kind, float(x)), exercise)
            option.setPricingEngine(engine)
            deviation = ql.blackFormulaImpliedStdDev(kind, float(x), 1.0, option.NPV(), 1.0, 0.0)
            vol[i, j] = deviation / np.sqrt(t)
    return k, vol


def test_hestons_smiles_are_fitted_within_a_tenth_of_a_point() -> None:
    years = np.array([7, 30, 91, 365]) / 365
    k, vol = _heston(years, np.linspace(-3, 2.5, 23))
    group = np.repeat(np.arange(4), 23)
    fit = _fit(k.ravel(), (vol**2 * years[:, None]).ravel(), None, group, years)
    assert np.abs(fit.residual).max() < 0.001
    assert np.median(np.abs(fit.residual)) < 0.0003
    arbitrage = find_arbitrage(fit.curves, years, np.zeros(4, dtype=np.int64))
    assert not arbitrage.butterfly.any()
    assert not arbitrage.calendar.any()


@pytest.mark.parametrize(("rho", "nu"), [(-0.5, 0.6), (0.3, 0.9), (0.0, 1.5)])
def test_sabrs_smiles_are_fitted_within_a_fifth_of_a_point(rho: float, nu: float) -> None:
    t = 0.25
    k = np.linspace(-2.5, 2.5, 25) * 0.3 * np.sqrt(t)
    vol = np.array([ql.sabrVolatility(float(np.exp(x)), 1.0, t, 0.3, 1.0, nu, rho) for x in k])
    fit = _fit(k, vol**2 * t, years=(t,))
    assert np.abs(fit.residual).max() < 0.002


def test_few_quotes_are_named_and_lean_on_less() -> None:
    years = (0.05, 0.1, 0.2)
    k, w = _quotes(GOOD["month"], 11)
    base = [np.full(11, 1)]
    for extra, kind in ((1, SmileKind.BORROWED), (2, SmileKind.BORROWED), (3, SmileKind.REDUCED)):
        xk, xw = _quotes(GOOD["month"], extra, reach=1.0 if extra > 1 else 0.0)
        group = np.concatenate([*base, np.full(extra, 2)])
        fit = _fit(np.append(k, xk), np.append(w, 1.5 * xw), None, group, years)
        assert fit.kind.tolist() == [SmileKind.REFUSED, SmileKind.FULL, kind]
        assert fit.used.tolist() == [0, 11, extra]
        assert np.isnan(fit.curves.level[0])
        assert total_variance(fit.curves.pick(2), 0.0).w == pytest.approx(
            1.5 * float(total_variance(GOOD["month"], 0.0).w), rel=0.1
        )
    alone = _fit([0.0, 0.01], [0.01, 0.01])
    assert alone.kind.tolist() == [SmileKind.FLAT]
    assert np.allclose(total_variance(alone.curves, [-1.0, 2.0]).w, 0.01)
    assert (alone.lowest[0], alone.highest[0]) == (0.0, 0.01)
    assert _fit([], []).kind.tolist() == [SmileKind.REFUSED]


def test_quotes_on_one_side_give_a_level_but_no_slope_through_the_forward() -> None:
    """Three calls far above, 54, 40 and 48 %, once were read as 82 % at the money."""
    deviation = 0.42 * np.sqrt(19 / 365)
    k, vols = np.array([0.49, 0.65, 0.81]) * deviation, np.array([0.54, 0.40, 0.48])
    fit = _fit(k, vols**2 * 19 / 365, years=(19 / 365,))
    assert fit.kind.tolist() == [SmileKind.FLAT]
    assert 0.40 <= volatility(fit.curves, 0.0, 19 / 365)[0] <= 0.54
    # a better expiry lends its shape: the same smile in units of its own deviation
    beside, w = _quotes(GOOD["month"])
    above = np.array([0.06, 0.09, 0.12, 0.15, 0.2])
    wider = 1.3**2 * total_variance(GOOD["month"], above / 1.3).w
    k, group = np.append(beside, above), [0] * len(beside) + [1] * len(above)
    fit = _fit(k, np.append(w, wider), group=group, years=(0.1, 0.2))
    assert fit.kind.tolist() == [SmileKind.FULL, SmileKind.BORROWED]
    middle = float(total_variance(GOOD["month"], 0.0).w)
    found = total_variance(fit.curves.pick(np.array([1])), 0.0).w
    assert found == pytest.approx(1.3**2 * middle, rel=0.01)


def test_a_lone_quote_borrows_however_heavy_it_is() -> None:
    """The slice with a shape of its own is settled first, or there is nothing to borrow."""
    k, w = _quotes(GOOD["month"], 11)
    group = np.append(np.zeros(11, dtype=np.int64), 1)
    weight = np.append(np.full(11, 1e-9), 1e9)
    fit = _fit(np.append(k, 0.0), np.append(w, 0.02), weight, group, (5.0, 6.0))
    assert fit.kind.tolist() == [SmileKind.FULL, SmileKind.BORROWED]
    assert abs(fit.residual[11]) < 1e-9
    slopes = total_variance(fit.curves, 1e3).dw
    assert slopes[1] > slopes[0] > 0


def test_crossing_quotes_end_as_slices_that_do_not_cross() -> None:
    """The later expiry's quotes have less variance than the earlier's: the better known stays."""
    k, w = _quotes(GOOD["month"], 15)
    group = np.repeat([0, 1], 15)
    quotes = np.append(w, 0.8 * w)
    weight = np.repeat([1.0, 100.0], 15)
    fit = _fit(np.tile(k, 2), quotes, weight, group, (0.1, 0.12))
    assert fit.moved[1] < 1e-3 < fit.moved[0]
    assert np.abs(fit.residual[15:]).max() < 2e-3
    arbitrage = find_arbitrage(fit.curves, np.array([0.1, 0.12]), np.zeros(2, dtype=np.int64))
    assert not arbitrage.calendar.any()
    apart = _fit(np.tile(k, 2), quotes, weight, group, (0.1, 0.12), [0, 1])
    assert apart.moved.max() == 0


def test_quotes_with_butterfly_arbitrage_end_in_a_slice_without() -> None:
    k = np.linspace(-0.3, 0.3, 13)
    w = 0.01 + 1.2 * np.abs(k)  # a wing that falls too fast for its height at the forward
    w = np.where(k > 0.1, 0.13 - 0.4 * (k - 0.1), w)
    fit = _fit(k, w)
    assert durrleman(fit.curves, np.linspace(-5, 5, 20001)).min() > 0


def test_refused_quotes_have_their_reason() -> None:
    k, w = _quotes(GOOD["month"], 12)
    weight, group = np.ones(12), np.zeros(12, dtype=np.int64)
    k[0], w[1], weight[2] = np.nan, np.inf, np.nan
    k[3], w[4], w[5] = 21.0, 0.0, 101.0
    weight[6], weight[7], group[8], group[9] = 0.0, 1e-14, 7, 1
    fit = _fit(k, w, weight, group, (0.1, 0.0))
    r = QuoteReason
    expected = [r.MISSING] * 3 + [r.OUT_OF_RANGE] * 3 + [r.NO_WEIGHT] * 2 + [r.NO_SLICE] * 2
    assert fit.reason.tolist() == [*expected, r.OK, r.OK]
    assert np.isnan(fit.residual[:10]).all()
    assert fit.kind.tolist() == [SmileKind.FLAT, SmileKind.REFUSED]


anything = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-1, 1),
    st.sampled_from([0.0, 1e-12, 1e-9, 1e300, -1e300, np.nan]),
)
likely = st.floats(1e-6, 2)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_quotes_give_free_slices_or_refusals(data) -> None:
    n = data.draw(st.integers(0, 30))
    slices = data.draw(st.integers(1, 4))
    draw = lambda elements, size: data.draw(arrays(np.float64, size, elements=elements))  # noqa: E731
    k = draw(st.one_of(st.floats(-1, 1), anything), n)
    w = draw(st.one_of(likely, anything), n)
    weight = draw(st.one_of(likely, anything), n)
    group = data.draw(arrays(np.int64, n, elements=st.integers(-1, slices)))
    years = draw(st.one_of(likely, anything), slices)
    surface = data.draw(arrays(np.int64, slices, elements=st.integers(0, 1)))
    fit = fit_smiles(k, w, weight, group, years, surface)
    refused = fit.kind == SmileKind.REFUSED
    for field in fit.curves:
        assert (np.isfinite(field) == ~refused).all()
    for field in (fit.error, fit.moved, fit.lowest, fit.highest):
        assert (np.isfinite(field) == ~refused).all()
    usable = np.isin(fit.reason, (QuoteReason.OK, QuoteReason.WILD))
    assert (np.isfinite(fit.residual) == usable).all()
    assert (np.bincount(group[usable], minlength=slices) == fit.used).all()
    arbitrage = find_arbitrage(fit.curves, years, surface)
    assert not arbitrage.butterfly.any()
    assert not arbitrage.calendar.any()


def test_threads_change_nothing() -> None:
    rng = np.random.default_rng(1)
    k, w = _quotes(GOOD["month"], 15)
    group = np.repeat(np.arange(12), 15)
    w = np.tile(w, 12) * np.exp(rng.normal(0, 0.03, 180))
    years, surface = np.tile([0.1, 0.2], 6), np.repeat(np.arange(6), 2)
    one = _fit(np.tile(k, 12), w, None, group, years, surface)
    two = _fit(np.tile(k, 12), w, None, group, years, surface, threads=3)
    assert all(np.array_equal(a, b) for a, b in zip(one.curves, two.curves, strict=True))


def test_without_numba_the_same_slices_come_out() -> None:
    """Kernels are plain Python underneath; run one slice so, in an interpreter without numba."""
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import numpy as np\n"
        "from strikeloom.quant.smile.fit import fit_smiles\n"
        "k = np.linspace(-0.2, 0.2, 9); w = 0.006 + 0.3 * k * k - 0.01 * k\n"
        "one = np.ones(9); zero = np.zeros(9, dtype=np.int64)\n"
        "fit = fit_smiles(k, w, one, zero, np.array([0.1]), zero[:1])\n"
        "print(*(float(field[0]) for field in fit.curves))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    k = np.linspace(-0.2, 0.2, 9)
    fit = _fit(k, 0.006 + 0.3 * k * k - 0.01 * k)
    found = [float(text) for text in done.stdout.split()]
    assert found == pytest.approx([float(field[0]) for field in fit.curves], rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("heavy", [1.0, 1e3])
def test_deep_puts_do_not_bend_the_smile_around_the_forward(heavy: float) -> None:
    """Prices of 0.45 to 0.85 far below, as in front of an expiry, are no part of the smile."""
    curve = GOOD["week"]
    deviation = float(np.sqrt(total_variance(curve, 0.0).w))
    z = np.linspace(-3, 3, 41)
    k, w = deviation * z, total_variance(curve, deviation * z).w
    far = deviation * np.array([-21.8, -19.0, -16.3])
    vol = np.array([15.4, 14.0, 12.3]) * deviation  # as of NIFTY on 2024-06-25
    weight = np.append(np.ones(41), np.full(3, heavy))
    fit = _fit(np.append(k, far), np.append(w, vol**2), weight)
    assert total_variance(fit.curves, 0.0).w[0] == pytest.approx(deviation**2, rel=0.02)
    assert not find_arbitrage(fit.curves, np.array([0.1]), np.zeros(1, dtype=int)).butterfly[0]
