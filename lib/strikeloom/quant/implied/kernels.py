"""The formulas of ``normal``, ``near_vol``, ``deep_vol`` and ``formulas`` as compiled kernels.

They run over contiguous arrays and are imported by ``engine`` alone, when first needed.

Each kernel has one signature, releases the interpreter, and may contract a multiplication and
an addition, which is all the freedom its compiler gets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import extending, types

from strikeloom.quant.implied import deep_vol, formulas, near_vol, normal

# numba's own annotations lack the return types of these
_njit: Callable[..., Callable[[Any], Any]] = numba.njit
_intrinsic: Callable[[Any], Any] = extending.intrinsic
_tuple: Callable[..., Any] = types.Tuple
_overload: Any = extending.overload
_jitable: Any = extending.register_jitable

_MATHS = {"fastmath": {"contract"}, "error_model": "numpy"}
_INLINE = {**_MATHS, "forceinline": True}
_KERNEL = {**_MATHS, "nogil": True, "cache": True, "boundscheck": False}
_BLOCK = 1024
#: Rows that stay in the processor's cache between volatility and Greeks.
_PART = 16384

_ROOT_HALF = 0x3FE6A09E667F3BCD
_SHIFT = np.uint64(0x3FF0000000000000 - _ROOT_HALF)
_FRACTION = np.uint64((1 << 52) - 1)
_LOWEST_FRACTION = np.uint64(_ROOT_HALF)
_WIDTH = np.uint64(52)
_INTEGER = np.uint64(0x4330000000000000)
_BIAS = np.uint64(1023)
_INTEGER_ZERO = 4503599627370496.0
_ROUND = 6755399441055744.0  # 1.5 x 2^52: adding it rounds to an integer
_ROUND_BITS = np.uint64(0x4338000000000000)

# 2 atanh(z) / z in z squared: 3e-18 for 1/sqrt(2) <= (1 + z) / (1 - z) <= sqrt(2)
_LOG = (
    2.0, 0.6666666666666766, 0.39999999999290414, 0.28571428763277906, 0.2222219678090645,
    0.18183646414004756, 0.15312139702233638, 0.1481371717472282,
)  # fmt: skip
# exp: 4e-18 for |r| <= ln(2) / 2
_EXP = (
    1.0, 1.0, 0.5, 0.16666666666666702, 0.04166666666666672, 0.008333333333309522,
    0.0013888888888861418, 0.00019841269909227387, 2.4801587366923012e-05,
    2.7557224949131394e-06, 2.755723946172947e-07, 2.5114872543703817e-08,
    2.0925033125859287e-09,
)  # fmt: skip
_LN_2_HIGH, _LN_2_LOW = 0.6931471803691238, 1.9082149292705877e-10
_LEAST_EXP = -708.0


@_intrinsic
def _bits(_typing: Any, _x: Any) -> Any:
    def cast(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.uint64(types.float64), cast


@_intrinsic
def _unbits(_typing: Any, _x: Any) -> Any:
    def cast(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.uint64), cast


def _log(x: Any) -> Any:
    shifted = _bits(x) + _SHIFT
    m = _unbits((shifted & _FRACTION) + _LOWEST_FRACTION)
    power = _unbits((shifted >> _WIDTH) | _INTEGER) - (_INTEGER_ZERO + 1023.0)
    z = (m - 1.0) / (m + 1.0)
    return power * normal.LN_2 + z * _polynomial(_LOG, z * z)


def _exp(x: Any) -> Any:
    inside = x if x > _LEAST_EXP else _LEAST_EXP
    rounded = inside * 1.4426950408889634 + _ROUND
    power = rounded - _ROUND
    r = (inside - power * _LN_2_HIGH) - power * _LN_2_LOW
    scale = _unbits((_bits(rounded) - _ROUND_BITS + _BIAS) << _WIDTH)
    return _polynomial(_EXP, r) * scale if x > _LEAST_EXP else 0.0


def _replace(formula: Any, by: Any) -> None:
    """Let kernels that call ``formula`` run ``by`` in its place."""
    _overload(formula, jit_options=_INLINE, strict=False)(lambda *_arguments: by)


_polynomial = normal.polynomial
_replace(normal.as_bits, lambda x: _bits(x))  # noqa: PLW0108
_replace(normal.from_bits, lambda x: _unbits(x))  # noqa: PLW0108
_replace(normal.select, lambda condition, yes, no: yes if condition else no)
_replace(normal.natural_log, _log)
_replace(normal.exponential, _exp)
_replace(deep_vol.all_true, lambda condition: condition)
for _formula in (
    normal.polynomial,
    normal.mills,
    normal.mills_slope,
    normal.log_ratio,
    normal.value_over_vega,
    near_vol.first_guess,
    near_vol.near_vol,
    deep_vol.ratios,
    deep_vol.log_of_ratio,
    deep_vol.start,
    formulas.time_value,
    formulas.usable,
    formulas.value,
    formulas.sensitivities,
):
    _jitable(**_INLINE)(_formula)
_jitable(**_MATHS)(deep_vol.deep_vol)

_floats, _codes = types.float64[::1], types.int8[::1]
_table = types.float64[:, ::1]
_given = types.Array(types.float64, 1, "C", readonly=True)
_calls = types.Array(types.boolean, 1, "C", readonly=True)
_inputs = _tuple((_given, _given, _given, _given, _calls, _given))

_time_value, _near, _deep = formulas.time_value, near_vol.near_vol, deep_vol.deep_vol
_value, _sensitivities = formulas.value, formulas.sensitivities


@_njit(**_MATHS, nogil=True, boundscheck=False)
def _near_rows(p: Any, f: Any, k: Any, t: Any, c: Any, d: Any, vol: Any, why: Any) -> int:
    """Ordinary rows of a block; returns how many are left for ``_deep_rows``."""
    left = 0
    for i in range(p.size):
        reason, over, _ = _time_value(p[i], f[i], k[i], t[i], c[i], d[i])
        low = f[i] if f[i] < k[i] else k[i]
        high = k[i] if f[i] < k[i] else f[i]
        s, ok = _near(over, low, high)
        code = reason if ok or reason != 0 else formulas.DEEP
        vol[i] = s / np.sqrt(t[i]) if code == 0 else np.nan
        why[i] = np.int8(code)
        left += 1 if code < 0 else 0
    return left


@_njit(**_MATHS, nogil=True, boundscheck=False)
def _deep_rows(p: Any, f: Any, k: Any, t: Any, c: Any, d: Any, vol: Any, why: Any) -> None:
    for i in range(p.size):
        if why[i] < 0:
            _, over, gap = _time_value(p[i], f[i], k[i], t[i], c[i], d[i])
            s, done = _deep(over, gap, min(f[i], k[i]), max(f[i], k[i]))
            vol[i] = s / np.sqrt(t[i]) if done else np.nan
            why[i] = np.int8(0 if done else formulas.NO_VEGA)


@_njit(**_MATHS, nogil=True, boundscheck=False)
def _greek_rows(f: Any, k: Any, t: Any, v: Any, c: Any, d: Any, out: Any, a: int) -> None:
    """Greeks of a block that begins at column ``a``."""
    z = a + f.size
    delta, gamma, vega = out[0, a:z], out[1, a:z], out[2, a:z]
    theta, vanna, volga = out[3, a:z], out[4, a:z], out[5, a:z]
    for i in range(f.size):
        g = _sensitivities(f[i], k[i], t[i], v[i], c[i], d[i])
        delta[i], gamma[i], vega[i], theta[i], vanna[i], volga[i] = g


@_njit(**_MATHS, nogil=True, boundscheck=False)
def _value_rows(f: Any, k: Any, t: Any, v: Any, c: Any, d: Any, out: Any) -> None:
    for i in range(f.size):
        out[i] = _value(f[i], k[i], t[i], v[i], c[i], d[i])


@_njit(**_INLINE, nogil=True, boundscheck=False)
def _cut(column: Any, a: int, z: int, size: int) -> Any:
    """Rows of a column; one shorter than the results is the same number throughout."""
    first = a if column.size == size else 0
    return column[first : first + z - a]


@_njit(types.void(_inputs, _floats, _codes, types.intp, types.intp), **_KERNEL)
def _vol_range(inputs: Any, vol: Any, why: Any, first: int, stop: int) -> None:
    p, f, k, t, c, d = inputs
    n = vol.size
    for a in range(first, stop, _BLOCK):
        z = min(a + _BLOCK, stop)
        p_, f_, k_ = _cut(p, a, z, n), _cut(f, a, z, n), _cut(k, a, z, n)
        t_, c_, d_ = _cut(t, a, z, n), _cut(c, a, z, n), _cut(d, a, z, n)
        if _near_rows(p_, f_, k_, t_, c_, d_, vol[a:z], why[a:z]):
            _deep_rows(p_, f_, k_, t_, c_, d_, vol[a:z], why[a:z])


@_njit(types.void(_inputs, _table, types.intp, types.intp), **_KERNEL)
def _greek_range(inputs: Any, out: Any, first: int, stop: int) -> None:
    f, k, t, v, c, d = inputs
    n = out.shape[1]
    for a in range(first, stop, _BLOCK):
        z = min(a + _BLOCK, stop)
        f_, k_, t_ = _cut(f, a, z, n), _cut(k, a, z, n), _cut(t, a, z, n)
        v_, c_, d_ = _cut(v, a, z, n), _cut(c, a, z, n), _cut(d, a, z, n)
        _greek_rows(f_, k_, t_, v_, c_, d_, out, a)


@_njit(types.void(_inputs, _floats), **_KERNEL)
def value_rows(inputs: Any, out: Any) -> None:
    """Value of (forward, strike, years, vol, is_call, discount)."""
    f, k, t, v, c, d = inputs
    n = out.size
    for a in range(0, n, _BLOCK):
        z = min(a + _BLOCK, n)
        f_, k_, t_ = _cut(f, a, z, n), _cut(k, a, z, n), _cut(t, a, z, n)
        v_, c_, d_ = _cut(v, a, z, n), _cut(c, a, z, n), _cut(d, a, z, n)
        _value_rows(f_, k_, t_, v_, c_, d_, out[a:z])


def vol_rows(inputs: Any, vol: Any, why: Any) -> None:
    """Volatility and reason of (price, forward, strike, years, is_call, discount)."""
    _vol_range(inputs, vol, why, 0, vol.size)


def greek_rows(inputs: Any, out: Any) -> None:
    """Greeks of (forward, strike, years, vol, is_call, discount), one line of ``out`` each."""
    _greek_range(inputs, out, 0, out.shape[1])


def chain_rows(inputs: Any, vol: Any, why: Any, out: Any, first: int, stop: int) -> None:
    """``vol_rows`` and ``greek_rows`` of some rows, part by part while it is in cache."""
    _, f, k, t, c, d = inputs
    for a in range(first, stop, _PART):
        z = min(a + _PART, stop)
        _vol_range(inputs, vol, why, a, z)
        _greek_range((f, k, t, vol, c, d), out, a, z)
