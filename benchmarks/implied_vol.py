"""Implied volatility: rate and accuracy beside its peers, bad rows, wings, first call.

    .venv/bin/python benchmarks/implied_vol.py

Peers are in the group ``bench``. One thread; every ratio is to pyvolr in the same run. Bars: 25
times with AVX-512 (stretch 40), 15 with AVX2, 5 in numpy; 1e-12 relative against prices of 40
digits (stretch 1e-14); 5 % refused rows cost 10 %, 1 % deep wings 50 %; first call with a warm
cache 0.5 s, import 150 ms.
"""

from __future__ import annotations

import sys
import warnings

from peers.measure import AVX2, again, fresh, one_core, side_by_side

one_core()

import numpy as np
from peers.options import Options, chains, conditioning, exact_prices

from strikeloom.quant.black76 import price
from strikeloom.quant.chain import solve_chain
from strikeloom.quant.implied import engine, numpy_rows
from strikeloom.quant.implied.solver import Reason, implied_vol

warnings.filterwarnings("ignore")
ROWS, FEW, EXACT = 1_000_000, 10_000, 10_000


def in_numpy(p, o: Options):
    _, size, inputs = engine.columns(p, o.forward, o.strike, o.years, o.is_call, 1.0)
    vol, reason = np.empty(size), np.empty(size, dtype=np.int8)
    numpy_rows.vol_rows(inputs, vol, reason)
    return vol, reason


def ours(p, o: Options):
    return implied_vol(p, o.forward, o.strike, o.years, o.is_call)


def pyvolr(p, o: Options):
    from pyvolr import black76

    return black76.implied_vol(
        p, FLAGS[id(o)], o.forward, o.strike, o.years, 0.0, on_error="ignore"
    )


def fast_vollib(p, o: Options):
    import fast_vollib

    return fast_vollib.fast_implied_volatility_black(
        p, o.forward, o.strike, 0.0, o.years, LETTERS[id(o)], return_as="numpy", backend="numba",
        on_error="ignore",
    )  # fmt: skip


def quantlib(p, o: Options):
    import QuantLib as ql

    kind = {True: ql.Option.Call, False: ql.Option.Put}
    rows = zip(*(x.tolist() for x in (o.is_call, o.strike, o.forward, p, o.years)), strict=True)
    none = ql.nullDouble()
    return np.array(
        [
            ql.blackFormulaImpliedStdDev(kind[c], k, f, x, 1.0, 0.0, none, 1e-14, 200) / t**0.5
            for c, k, f, x, t in rows
        ]
    )


def vollib(p, o: Options):
    from vollib.black.implied_volatility import implied_volatility

    rows = zip(*(x.tolist() for x in (p, o.forward, o.strike, o.years, o.is_call)), strict=True)
    return np.array(
        [implied_volatility(x, f, k, 0.0, t, "c" if c else "p") for x, f, k, t, c in rows]
    )


#: Flags in the form a peer takes cheapest, by the options they belong to.
FLAGS: dict[int, np.ndarray] = {}
LETTERS: dict[int, np.ndarray] = {}


def prepared(o: Options) -> Options:
    FLAGS[id(o)] = np.where(o.is_call, 1, -1).astype(np.int8)
    LETTERS[id(o)] = np.where(o.is_call, "c", "p")
    return o


def table(short: bool) -> None:
    many, few = prepared(chains(ROWS)), prepared(chains(FEW, seed=3))
    known = prepared(chains(EXACT, seed=2))
    p_many, p_few = price(*many), price(*few)
    works = {
        "strikeloom": (ROWS, lambda: ours(p_many, many)),
        "strikeloom, numpy path": (ROWS, lambda: in_numpy(p_many, many)),
        "pyvolr": (ROWS, lambda: pyvolr(p_many, many)),
    }
    solvers = {"strikeloom": ours, "strikeloom, numpy path": in_numpy, "pyvolr": pyvolr}
    if not short:
        works |= {
            "fast-vollib (numba)": (ROWS, lambda: fast_vollib(p_many, many)),
            "QuantLib": (FEW, lambda: quantlib(p_few, few)),
            "vollib": (FEW, lambda: vollib(p_few, few)),
        }
        solvers |= {"fast-vollib (numba)": fast_vollib, "QuantLib": quantlib, "vollib": vollib}
    rates = side_by_side(works, 5 if short else 7)
    exact = exact_prices(known)
    used = known.otm & (exact > 1e-12 * known.forward) & (conditioning(known, exact) < 1000)
    print(f"{'implied volatility':26}{'M/s':>8}{'x pyvolr':>10}{'max error':>12}{'mean':>10}")
    for name, solve in solvers.items():
        found = solve(exact, known)
        vol = np.asarray(found[0] if isinstance(found, tuple) else found).ravel()
        error = np.abs(vol / known.vol - 1)[used]
        print(
            f"{name:26}{rates[name]:8.2f}{rates[name] / rates['pyvolr']:10.1f}"
            f"{np.nanmax(error):12.1e}{np.nanmean(error):10.1e}"
        )
    vol, reason = ours(exact, known)
    itm = known._replace(vol=vol).part(~known.otm)
    gap = np.abs(exact_prices(itm) / exact[~known.otm] - 1)
    print(f"in the money, repriced: {gap.max():.1e}; refused {np.count_nonzero(reason)}\n")


def mixtures() -> None:
    o = prepared(chains(ROWS))
    p = price(*o)
    bad = np.arange(ROWS) % 20 == 7
    refused = p.copy()
    intrinsic = np.maximum(np.where(o.is_call, o.forward - o.strike, o.strike - o.forward), 0)
    worse = [intrinsic - 1, intrinsic, np.where(o.is_call, o.forward, o.strike), p * np.nan]
    for number, column in enumerate(worse):
        rows = np.flatnonzero(bad)[number::4]
        refused[rows] = column[rows]
    wings = o.part(slice(None))
    rows = np.arange(0, ROWS, 100)
    z = np.random.default_rng(5).uniform(8, 36, rows.size)
    wings.is_call[rows] = wings.strike[rows] >= wings.forward[rows]
    wings.vol[rows] = np.abs(np.log(wings.strike[rows] / wings.forward[rows])) / z
    wings.vol[rows] = np.maximum(wings.vol[rows] / np.sqrt(wings.years[rows]), 1e-3)
    deep = price(*wings)
    works = {
        "chain": (ROWS, lambda: ours(p, o)),
        "refused": (ROWS, lambda: ours(refused, o)),
        "wings": (ROWS, lambda: ours(deep, wings)),
        "fused": (ROWS, lambda: solve_chain(p, o.forward, o.strike, o.years, o.is_call)),
    }
    rates = side_by_side(works, 9)
    _, reason = ours(refused, o)
    vol, _ = ours(deep, wings)
    error = np.nanmax(np.abs(vol / wings.vol - 1)[rows])
    dearer = {name: 100 * (rates["chain"] / rate - 1) for name, rate in rates.items()}
    right = bool(np.all((reason != 0) == bad))
    print(f"5 % refused rows   {dearer['refused']:6.1f} % dearer (bar 10); reasons right: {right}")
    print(f"1 % deep wings     {dearer['wings']:6.1f} % dearer (bar 50); error {error:.0e}")
    print(f"volatility and six Greeks in one pass {rates['fused']:6.1f} M/s (bar 40 with AVX-512)")
    for size in (200, 2000):
        small = o.part(slice(size))
        q = p[:size].copy()
        turns = max(1, 200_000 // size)
        rate = side_by_side(
            {"x": (size * turns, lambda q=q, s=small, n=turns: [ours(q, s) for _ in range(n)])}, 5
        )
        print(f"a chain of {size:5} options {size / rate['x']:8.1f} us a call")


CASES = {
    "price 0, OTM": (0.0, 100, 110, 0.1, True),
    "price = intrinsic, ITM": (10.0, 110, 100, 0.1, True),
    "below intrinsic": (9.0, 110, 100, 0.1, True),
    "negative": (-1.0, 100, 110, 0.1, True),
    "call price = F": (100.0, 100, 90, 0.1, True),
    "call price > F": (120.0, 100, 90, 0.1, True),
    "put price = K": (90.0, 100, 90, 0.1, False),
    "NaN price": (np.nan, 100, 90, 0.1, True),
    "T = 0": (12.0, 100, 90, 0.0, True),
}
SOLVED = {
    "20 deviations": (100, 100 * np.exp(2.0), 0.25, 0.2, True),
    "36 deviations": (100, 100 * np.exp(3.6), 0.25, 0.2, True),
    "ATM, one minute": (24000, 24000, 1 / 525600, 0.12, True),
    "near ATM, one second": (24000, 23999.9, 1 / 31536000, 0.12, False),
    "volatility 1,000 %": (100, 110, 0.5, 10.0, True),
    "volatility 0.1 %": (100, 100.01, 0.1, 0.001, True),
}


def corners() -> None:
    print(f"\n{'case':24}{'strikeloom':>30}{'pyvolr':>16}")
    for name, (p, f, k, t, call) in CASES.items():
        o = prepared(Options(*(np.array([x]) for x in (f, k, t, 0.0, call))))
        vol, reason = ours(np.array([p]), o)
        text = f"{vol[0]} ({Reason(int(reason[0])).text})"
        print(f"{name:24}{text:>30}{float(np.ravel(pyvolr(np.array([p]), o))[0]):16.3g}")
    for name, (f, k, t, v, call) in SOLVED.items():
        o = prepared(Options(*(np.array([x]) for x in (f, k, t, v, call))))
        p = exact_prices(o)
        vol, reason = ours(p, o)
        text = f"{Reason(int(reason[0])).text}, error {abs(vol[0] / v - 1):.0e}"
        theirs = abs(float(np.ravel(pyvolr(p, o))[0]) / v - 1)
        print(f"{name:24}{text:>30}{f'error {theirs:.0e}':>16}")


def start() -> None:
    first = (
        "{clock}"
        "from strikeloom.quant.implied import engine\n"
        "from strikeloom.quant.implied.solver import implied_vol\n"
        "{load}\n"
        "implied_vol(5.0, 100.0, 100.0, 0.1, True); {elapsed}"
    )
    imports = (
        "{clock}"
        "import strikeloom, strikeloom.quant.black76, strikeloom.quant.implied.solver\n"
        "{elapsed}\n"
        "import sys; assert 'numba' not in sys.modules"
    )
    clock = "import time; a, b = time.perf_counter(), time.process_time()\n"
    elapsed = "print(time.perf_counter() - a, time.process_time() - b)"
    known = {
        "import of strikeloom.quant (bar 150 ms)": (imports, ""),
        "first IV, kernels from a warm cache (bar 500 ms)": (first, "engine.load()"),
        "first IV of few rows, in numpy": (first, ""),
    }
    print("\nbest of 9 new interpreters                           wall  processor")
    for name, (code, load) in known.items():
        text = code.format(clock=clock, elapsed=elapsed, load=load)
        runs = np.array([[float(x) for x in fresh(text).split()] for _ in range(9)])
        print(f"{name:50}{1000 * runs[:, 0].min():6.0f} ms{1000 * runs[:, 1].min():8.0f} ms")


def main() -> None:
    if not engine.load():
        raise SystemExit("numba is not available")
    short = "--short" in sys.argv
    table(short)
    if not short:
        mixtures()
        corners()
        start()
        print("\nwith AVX2 only (forced):")
        again(__file__, **AVX2)


if __name__ == "__main__":
    main()
