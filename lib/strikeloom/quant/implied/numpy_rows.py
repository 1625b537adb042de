"""The row functions of ``kernels`` in numpy: without numba, while it compiles, for few options.

Functions and arguments are those of ``kernels``; the results agree to a few units of the last
place. Blocks keep the intermediate arrays in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.implied import formulas
from strikeloom.quant.implied.deep_vol import deep_vol
from strikeloom.quant.implied.near_vol import near_vol

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]
Inputs = tuple[Floats, Floats, Floats, Floats, Bools, Floats]

#: Rows at a time. A column that is one number is given as so many rows of it, or as all rows
#: where there are fewer.
BLOCK = 8192


def _blocks(first: int, stop: int) -> Iterator[slice]:
    return (slice(a, min(a + BLOCK, stop)) for a in range(first, stop, BLOCK))


def vol_rows(inputs: Inputs, vol: Floats, why: Codes) -> None:
    """Volatility and reason of (price, forward, strike, years, is_call, discount)."""
    with np.errstate(all="ignore"):
        for block in _blocks(0, len(vol)):
            _vol_block(inputs, vol, why, block)


def _cut(inputs: Inputs, block: slice, size: int) -> Inputs:
    whole = slice(0, block.stop - block.start)
    cut = [column[block if column.size == size else whole] for column in inputs]
    return cast("Inputs", tuple(cut))


def _vol_block(inputs: Inputs, vol: Floats, why: Codes, block: slice) -> None:
    p, f, k, t, c, d = _cut(inputs, block, vol.size)
    reason, over, gap = formulas.time_value(p, f, k, t, c, d)
    low, high = np.minimum(f, k), np.maximum(f, k)
    s, ok = near_vol(over, low, high)
    left = np.flatnonzero(~ok & (reason == 0))
    if left.size:
        s[left], found = deep_vol(over[left], gap[left], low[left], high[left])
        reason[left[~found]] = formulas.NO_VEGA
    why[block] = reason
    vol[block] = np.where(reason == 0, s / np.sqrt(t), np.nan)


def greek_rows(inputs: Inputs, out: Floats) -> None:
    """Greeks of (forward, strike, years, vol, is_call, discount), one line of ``out`` each."""
    with np.errstate(all="ignore"):
        for block in _blocks(0, out.shape[1]):
            out[:, block] = formulas.sensitivities(*_cut(inputs, block, out.shape[1]))


def value_rows(inputs: Inputs, out: Floats) -> None:
    """Value of (forward, strike, years, vol, is_call, discount)."""
    with np.errstate(all="ignore"):
        for block in _blocks(0, len(out)):
            out[block] = formulas.value(*_cut(inputs, block, out.size))


def chain_rows(inputs: Inputs, vol: Floats, why: Codes, out: Floats, first: int, stop: int) -> None:
    """``vol_rows`` and ``greek_rows`` of some rows."""
    _, f, k, t, c, d = inputs
    with np.errstate(all="ignore"):
        for block in _blocks(first, stop):
            _vol_block(inputs, vol, why, block)
            cut = _cut((f, k, t, vol, c, d), block, vol.size)
            out[:, block] = formulas.sensitivities(*cut)
