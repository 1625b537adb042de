"""Greeks: rate and accuracy beside their peers.

    .venv/bin/python benchmarks/greeks.py

Peers are in the group ``bench``. One thread, the same million options; rates are of the whole
public call. Bars: 25 times pyvolr with AVX-512, 12 with AVX2, 12 times fast-vollib; 1e-12
relative against derivatives in many digits, absolute where a Greek crosses zero. pyvolr and
fast-vollib return five Greeks, ours are six with vanna and volga.
"""

from __future__ import annotations

import sys
import warnings

from peers.measure import AVX2, again, one_core, side_by_side

one_core()

import mpmath as mp
import numpy as np
from peers.options import Options, chains

from strikeloom.quant.black76 import Greeks, greeks
from strikeloom.quant.implied import engine, numpy_rows

warnings.filterwarnings("ignore")
ROWS, FEW, EXACT = 1_000_000, 5_000, 400


def ours(o: Options) -> Greeks:
    return greeks(o.forward, o.strike, o.years, o.vol, o.is_call)


def in_numpy(o: Options) -> Greeks:
    _, size, inputs = engine.columns(o.forward, o.strike, o.years, o.vol, o.is_call, 1.0)
    out = np.empty((6, size))
    numpy_rows.greek_rows(inputs, out)
    return Greeks(*out)


def pyvolr(o: Options, flag: np.ndarray):
    from pyvolr import black76

    return black76.greeks(flag, o.forward, o.strike, o.years, 0.0, o.vol)


def fast_vollib(o: Options, flag: np.ndarray):
    import fast_vollib

    return fast_vollib.get_all_greeks(
        flag, o.forward, o.strike, o.years, 0.0, o.vol, model="black", return_as="dict",
        backend="numba",
    )  # fmt: skip


def quantlib(o: Options):
    import QuantLib as ql

    kind = {True: ql.Option.Call, False: ql.Option.Put}
    rows = zip(*(x.tolist() for x in (o.forward, o.strike, o.years, o.vol, o.is_call)), strict=True)
    out = []
    for f, k, t, v, c in rows:
        black = ql.BlackCalculator(ql.PlainVanillaPayoff(kind[c], k), f, v * t**0.5, 1.0)
        out.append((black.deltaForward(), black.gammaForward(), black.vega(t), black.theta(f, t)))
    return out


def vollib(o: Options):
    from vollib.black.greeks import analytical as a

    rows = zip(*(x.tolist() for x in (o.forward, o.strike, o.years, o.vol, o.is_call)), strict=True)
    return [
        [g("c" if c else "p", f, k, t, 0.0, v) for g in (a.delta, a.gamma, a.vega, a.theta)]
        for f, k, t, v, c in rows
    ]


def exact_greeks(o: Options) -> Greeks:
    """Derivatives by central differences in 120 digits."""
    with mp.workdps(120):
        return Greeks(*np.array([_differences(*row) for row in zip(*o, strict=True)]).T)


def _differences(f, k, t, v, call) -> list[float]:
    f, k, t, v = (mp.mpf(float(x)) for x in (f, k, t, v))
    h = mp.mpf(10) ** -22

    def p(a: int = 0, b: int = 0, c: int = 0) -> mp.mpf:
        F, V, T = f * (1 + a * h), v * (1 + b * h), t * (1 + c * h)
        s = V * mp.sqrt(T)
        d1 = mp.log(F / k) / s + s / 2
        n = [mp.erfc(-z / mp.sqrt(2)) / 2 for z in (d1, d1 - s)]
        return F * n[0] - k * n[1] - (0 if call else F - k)

    found = [
        (p(1) - p(-1)) / (2 * f * h),
        (p(1) - 2 * p() + p(-1)) / (f * h) ** 2,
        (p(0, 1) - p(0, -1)) / (2 * v * h),
        -(p(0, 0, 1) - p(0, 0, -1)) / (2 * t * h) / 365,
        (p(1, 1) - p(1, -1) - p(-1, 1) + p(-1, -1)) / (4 * f * h * v * h),
        (p(0, 1) - 2 * p() + p(0, -1)) / (v * h) ** 2,
    ]
    return [float(x) for x in found]


def accuracy() -> None:
    known = chains(EXACT, seed=2)
    exact = exact_greeks(known)
    print("\nlargest error: relative, and of vanna and volga over the largest of their terms")
    s = known.vol * np.sqrt(known.years)
    d1 = np.log(known.forward / known.strike) / s + s / 2
    size = dict(zip(Greeks._fields, map(np.abs, exact), strict=True))
    size["vanna"] = exact.vega / known.forward / s * (np.abs(d1) + s)
    size["volga"] = exact.vega / known.vol * (d1 * d1 + s * np.abs(d1))
    for path, found in (("compiled", ours(known)), ("numpy", in_numpy(known))):
        errors = {
            name: np.max(np.abs(getattr(found, name) - getattr(exact, name)) / size[name])
            for name in Greeks._fields
        }
        print(f"{path:10}" + "  ".join(f"{name} {error:.0e}" for name, error in errors.items()))
    theirs = pyvolr(known, np.where(known.is_call, 1, -1).astype(np.int8))
    error = np.max(np.abs(np.ravel(theirs["delta"]) / exact.delta - 1))
    print(f"{'pyvolr':10}delta {error:.0e}")


def main() -> None:
    if not engine.load():
        raise SystemExit("numba is not available")
    short = "--short" in sys.argv
    many, few = chains(ROWS), chains(FEW, seed=3)
    sign = np.where(many.is_call, 1, -1).astype(np.int8)
    letter = np.where(many.is_call, "c", "p")
    works = {
        "strikeloom": (ROWS, lambda: ours(many)),
        "strikeloom, numpy path": (ROWS, lambda: in_numpy(many)),
        "pyvolr": (ROWS, lambda: pyvolr(many, sign)),
        "fast-vollib (numba)": (ROWS, lambda: fast_vollib(many, letter)),
    }
    if not short:
        works |= {"QuantLib": (FEW, lambda: quantlib(few)), "vollib": (FEW, lambda: vollib(few))}
    rates = side_by_side(works, 9)
    print(f"{'Greeks':26}{'M/s':>8}{'x pyvolr':>10}{'x fast-vollib':>15}")
    for name, rate in rates.items():
        ratios = rate / rates["pyvolr"], rate / rates["fast-vollib (numba)"]
        print(f"{name:26}{rate:8.2f}{ratios[0]:10.1f}{ratios[1]:15.1f}")
    if not short:
        accuracy()
        print("\nwith AVX2 only (forced):")
        again(__file__, **AVX2)


if __name__ == "__main__":
    main()
