"""Odds of strategies: rate against optionlab, and errors of what is approximate.

    .venv/bin/python benchmarks/probability.py

Bars: 36,000 four-leg candidates (200 underlyings x 30 structures x 6 strike sets) with
probability of profit, expected value and extremes in 20 ms on two threads, and 10,000 times
optionlab's rate in the same run (it also builds result objects; group ``bench`` has it).
"""

from __future__ import annotations

import time

import numpy as np

from strikeloom.quant.payoff import Legs
from strikeloom.quant.probability.at_expiry import Law
from strikeloom.quant.probability.odds import _in_numpy, odds
from strikeloom.quant.probability.reach import _local_variance, reach
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.fit import fit_smiles

UNDERLYINGS, STRUCTURES, SETS, THREADS = 200, 30, 6, 2
BAR_MS, BAR_RATIO = 20.0, 10_000.0


def candidates(seed: int = 3) -> tuple[Legs, np.ndarray, np.ndarray, np.ndarray]:
    """Condors, flies, spreads and ratios around forwards of every size; legs repeat when fewer."""
    draw = np.random.default_rng(seed)
    forward = np.exp(draw.uniform(np.log(80), np.log(9000), UNDERLYINGS))
    deviation = draw.uniform(0.03, 0.15, UNDERLYINGS)
    places = np.sort(draw.uniform(-2, 2, (STRUCTURES, SETS, 4)), axis=-1)
    is_call = draw.random((STRUCTURES, 4)) < 0.5
    side = draw.choice([-1.0, 1.0], (STRUCTURES, 4))
    shape = (UNDERLYINGS, STRUCTURES, SETS, 4)
    moneyness = places[None] * deviation[:, None, None, None]
    strikes = forward[:, None, None, None] * np.exp(moneyness)
    units = np.broadcast_to(side[None, :, None, :], shape) * 100.0
    calls = np.broadcast_to(is_call[None, :, None, :], shape)
    row = np.repeat(np.arange(UNDERLYINGS), STRUCTURES * SETS)
    legs = Legs(
        strikes.reshape(-1, 4),
        calls.reshape(-1, 4).copy(),
        units.reshape(-1, 4).copy(),
        np.zeros(len(row)),
    )
    mean = odds(legs, Law(forward, Curves.flat(deviation**2)), row).expected_value
    cash = -mean + 0.1 * np.abs(mean)
    return legs._replace(cash=cash), row, forward, deviation


def smiles(deviation: np.ndarray) -> Curves:
    """A fitted, skewed slice for each underlying."""
    z = np.broadcast_to(np.linspace(-3, 3, 15), (len(deviation), 15))
    s = deviation[:, None] * (1 - 0.15 * z + 0.04 * z * z)
    group = np.repeat(np.arange(len(deviation)), 15)
    years = np.full(len(deviation), 0.1)
    k = z * deviation[:, None]
    fit = fit_smiles(
        k.ravel(), (s * s).ravel(), np.ones(k.size), group, years, np.arange(len(deviation))
    )
    return fit.curves


def best(work, times: int = 15) -> float:
    """Quickest of some runs: what others do on the machine only ever adds."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return min(took)


def optionlab_rate(scale: float) -> float:
    """Strategies a second of optionlab on an iron condor with its probability of profit.

    Scale 245 is an index at 24,500 watched from 20,000 to 29,000; its grid has a step of 0.01.
    """
    import optionlab

    day = {
        "stock_price": 100 * scale,
        "volatility": 0.15,
        "interest_rate": 0.0,
        "min_stock": 81.6 * scale,
        "max_stock": 118.4 * scale,
        "days_to_target_date": 30,
    }
    wings = [
        (94, "put", "buy", 0.2),
        (97, "put", "sell", 0.8),
        (103, "call", "sell", 0.9),
        (106, "call", "buy", 0.2),
    ]
    strategy = [
        {
            "type": kind,
            "strike": strike * scale,
            "premium": premium * scale,
            "n": 100,
            "action": action,
        }
        for strike, kind, action, premium in wings
    ]
    return 1 / best(lambda: optionlab.run_strategy({**day, "strategy": strategy}), 7)


def rates() -> None:
    legs, row, forward, deviation = candidates()
    count = len(row)
    laws = {
        "lognormal": Law(forward, Curves.flat(deviation**2)),
        "smile": Law(forward, smiles(deviation)),
    }
    peer, small = optionlab_rate(245.0), optionlab_rate(1.0)
    print(f"{'evaluator':<44}{'ms':>9}{'a second':>14}{'x optionlab':>13}")
    print(f"{'optionlab, a condor on 24,500':<44}{1e3 / peer:9.1f}{peer:14,.0f}{1:13}")
    print(f"{'optionlab, on 100: a grid 245 times smaller':<44}{1e3 / small:9.1f}{small:14,.0f}")
    for name, law in laws.items():
        ways = {
            f"numpy, {name}": lambda law=law: _in_numpy(legs, law, row),
            f"compiled, 1 thread, {name}": lambda law=law: odds(legs, law, row),
            f"compiled, {THREADS} threads, {name}": lambda law=law: odds(
                legs, law, row, threads=THREADS
            ),
        }
        slow, fast = (way() for way in list(ways.values())[:2])
        off = 0.0
        for a, b in zip(fast, slow, strict=True):
            known = np.isfinite(b)
            assert (known == np.isfinite(a)).all()
            gap = np.abs(a[known] - b[known]) / (1 + np.abs(b[known]))
            off = max(off, float(np.max(gap)))
        for label, way in ways.items():
            way()
            took = best(way, 5 if "numpy" in label else 25)
            rate = count / took
            bar = ""
            if f"{THREADS} threads" in label:
                met = took * 1e3 <= BAR_MS and rate / peer >= BAR_RATIO
                bar = f"  bars {BAR_MS:.0f} ms, {BAR_RATIO:,.0f} x: {'met' if met else 'MISSED'}"
            print(f"{label:<44}{took * 1e3:9.2f}{rate:14,.0f}{rate / peer:13,.0f}{bar}")
        print(f"  {count:,} candidates; compiled and numpy differ by {off:.0e} at most")


def path_chance(legs: Legs, target: float, curves: Curves, seed: int = 2) -> float:
    """Of reaching a profit on the underlying, by paths under the smile's local variance.

    Watched at every step and at every fourth: what is missed goes with the root of the step.
    """
    draw = np.random.default_rng(seed)
    paths, steps = 60_000, 1024
    k = np.zeros(paths)
    reached = {1: np.zeros(paths, dtype=bool), 4: np.zeros(paths, dtype=bool)}
    for step in range(steps):
        variance = _local_variance(curves, k[:, None], (step + 0.5) / steps)[:, 0] / steps
        k += np.sqrt(variance) * draw.normal(size=paths) - 0.5 * variance
        profit = legs.cash[0] + legs.units[0, 0] * 100 * np.exp(k)
        for every, seen in reached.items():
            if (step + 1) % every == 0:
                seen[profit >= target] = True
    return float(2 * reached[1].mean() - reached[4].mean())


def errors() -> None:
    """Where there is no closed form: how far touches and P50 are off."""
    forward, row = np.array([100.0]), np.zeros(1, dtype=np.int64)
    curves = smiles(np.array([0.09]))
    law = Law(forward, curves)
    print(f"\n{'touching on a skewed smile':<28}{'grid':>11}{'fine grid':>11}{'paths':>9}")
    for deviations in (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0):
        level = 100 * np.exp(0.09 * deviations)
        side = np.sign(deviations)
        legs = Legs(
            np.array([[0.0]]), np.array([[True]]), np.array([[side]]), np.array([-100.0 * side])
        )
        target = np.array([abs(level - 100)])
        found = (
            reach(legs, target, law, row)[0],
            reach(legs, target, law, row, nodes=801, steps=600)[0],
            path_chance(legs, float(target[0]), curves),
        )
        print(f"  {deviations:+.1f} deviations{'':<10}" + "".join(f"{x:11.4f}" for x in found))
    legs, place, forwards, deviation = candidates()
    some = np.random.default_rng(1).choice(len(place), 300, replace=False)
    law = Law(forwards, smiles(deviation))
    part = Legs(legs.strikes[some], legs.is_call[some], legs.units[some], legs.cash[some])
    half = 0.5 * odds(part, law, place[some]).max_profit
    begun = time.perf_counter()
    coarse = reach(part, half, law, place[some])
    took = time.perf_counter() - begun
    fine = reach(part, half, law, place[some], nodes=641, steps=480)
    off = np.abs(coarse - fine)
    off = off[np.isfinite(off)]
    print(
        f"P50 of {len(off)} structures with a limit: off a grid 4 times finer in price and "
        f"10 times in time by {np.median(off):.4f} at the median, {np.quantile(off, 0.95):.4f} at "
        f"95 %, {off.max():.4f} at most; {1e3 * took / len(some):.2f} ms each"
    )


if __name__ == "__main__":
    rates()
    errors()
