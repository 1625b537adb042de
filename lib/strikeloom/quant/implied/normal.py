"""The normal distribution's ratios as polynomials, in code that runs on arrays and in kernels.

Every function here is straight-line: no branch on a value, so that numpy runs it on whole
arrays and the compiler on eight rows at once. ``kernels`` replaces ``select``, the logarithm,
the exponential and the two views of bits by versions for one number; the rest is shared.

The polynomials are Chebyshev interpolants of 50-digit values; errors stated are absolute.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SQRT_2PI = 2.5066282746310002
#: 1 / sqrt(2 pi)
PEAK = 0.3989422804014327
LN_2 = 0.6931471805599453

_ONE = np.uint64(1023 << 52)
_ONE_AND_HALF = np.uint64((1023 << 52) + (1 << 51))
_WIDTH = np.uint64(52)
_INTEGER = np.uint64(0x4330000000000000)
_INTEGER_ZERO = 4503599627370496.0 + 1023.0

# Mills ratio times (y + 5), in q = 1 - 10 / (y + 5): 7e-18 for y >= 0
_MILLS = (
    1.9280810471531575, -1.66786659518896, 1.241547061573877, -0.7859110755465453,
    0.41364471573217226, -0.17325473408715042, 0.05212550242182693, -0.007503282820678759,
    -0.0019999620670556138, 0.0013658591609424361, -0.00014883252854029768,
    -0.00012473565818721082, 4.181269707272043e-05, 9.974780085542733e-06,
    -6.9405498481783575e-06, -8.360675980181407e-07, 1.0865648093633823e-06,
    9.668428357216325e-08, -1.6898908396071304e-07, -1.7398124277679196e-08,
    2.324918339616538e-08, 3.1868668438665133e-09, -1.968820796668673e-09,
    -3.336850487923168e-10,
)  # fmt: skip
# 1 - y x Mills ratio, in q = 19.826 / (y + 6) - 2.3043: 3e-17 for 0 <= y <= 9.2
_SLOPE = (
    0.10753603041244472, 0.23432195491687996, 0.25842235911860856, 0.1979132673080133,
    0.11717817324245298, 0.055490094377668026, 0.02113014624452968, 0.0063612585174859584,
    0.0014377929352756794, 0.00020920926880371474, 5.937521255832941e-06,
    -5.255440299484066e-06, -1.0466776573422606e-06, 3.62535379677305e-08,
    4.118735740047343e-08, 2.297878572536633e-09, -1.3947605334492928e-09,
    -1.319448800614448e-10, 4.246984912898961e-11,
)  # fmt: skip
# 2 atanh(r) / r in r squared: 3e-19 for |r| <= 0.2015
_ATANH = (
    2.0, 0.6666666666666655, 0.4000000000007495, 0.28571428552542166, 0.2222222460351314,
    0.1818164983568863, 0.15391583918392643, 0.13166295227788197, 0.13889246171015202,
)  # fmt: skip


def select(condition: Any, yes: Any, no: Any) -> Any:
    """Value of either by row."""
    return np.where(condition, yes, no)


def natural_log(x: Any) -> Any:
    """Natural logarithm of a positive, normal number."""
    return np.log(x)


def exponential(x: Any) -> Any:
    """Exponential; what underflows is zero."""
    return np.exp(x)


def as_bits(x: Any) -> Any:
    """Bits of a float64 as an unsigned integer."""
    return np.asarray(x).view(np.uint64)


def from_bits(x: Any) -> Any:
    """Float64 of those bits."""
    return np.asarray(x).view(np.float64)


def polynomial(c: Any, q: Any) -> Any:
    """Value at ``q`` of coefficients from the constant up, even and odd powers side by side."""
    square = q * q
    last = len(c) - 1
    one = c[last] * square + c[last - 2]
    other = c[last - 1] * square + c[last - 3]
    for place in range(last - 4, 0, -2):
        one = one * square + c[place]
        other = other * square + c[place - 1]
    if last % 2:
        return one * q + other
    return (one * square + c[0]) + other * q


def mills(y: Any) -> Any:
    """N(-y) / n(y) for y >= 0."""
    w = 1.0 / (y + 5.0)
    return polynomial(_MILLS, 1.0 - 10.0 * w) * w


def mills_slope(y: Any) -> Any:
    """1 - y mills(y) for 0 <= y <= 9.2, meaningless beyond."""
    w = 1.0 / (y + 6.0)
    return polynomial(_SLOPE, w * 19.82608695652174 - 2.3043478260869565)


def log_ratio(numerator: Any, denominator: Any) -> Any:
    """ln(a / b) of positive, normal numbers with full relative precision near a = b.

    b is scaled by the power of two nearest to a / b, so that a - b is exact.
    """
    biased = (as_bits(numerator) - as_bits(denominator) + _ONE_AND_HALF) >> _WIDTH
    scaled = denominator * from_bits(biased << _WIDTH)
    power = from_bits(biased | _INTEGER) - _INTEGER_ZERO
    r = (numerator - scaled) / (numerator + scaled)
    return power * LN_2 + r * polynomial(_ATANH, r * r)


def value_over_vega(slope: Any, x: Any, s: Any) -> Any:
    """Out-of-the-money value over (dvalue/ds) s exp(s^2/8), for s < 0.9 and x < 1.05.

    With X = x/2 and m_j the integral of w^2j cosh(X (1 - w)) over 0..1,
    the value is 2 sqrt(F K) n(x/s) s/2 [slope m_0 + sum over j of (-s^2/8)^j / j! m_j]:
    no difference of nearly equal terms, however small s is.

    Parameters
    ----------
    slope : float or ndarray
        1 - y mills(y) at y = x / s.
    x : float or ndarray
        |ln(F / K)|.
    s : float or ndarray
        vol x sqrt(years).
    """
    square = 0.25 * x * x
    m8 = 1.0 / 17.0 + square * (1.0 / (17.0 * 18.0 * 19.0) + square * (1.0 / 2441880.0))
    m7 = (1.0 + square * m8 * (1.0 / 16.0)) * (1.0 / 15.0)
    m6 = (1.0 + square * m7 * (1.0 / 14.0)) * (1.0 / 13.0)
    m5 = (1.0 + square * m6 * (1.0 / 12.0)) * (1.0 / 11.0)
    m4 = (1.0 + square * m5 * (1.0 / 10.0)) * (1.0 / 9.0)
    m3 = (1.0 + square * m4 * (1.0 / 8.0)) * (1.0 / 7.0)
    m2 = (1.0 + square * m3 * (1.0 / 6.0)) * (1.0 / 5.0)
    m1 = (1.0 + square * m2 * (1.0 / 4.0)) * (1.0 / 3.0)
    m0 = 1.0 + square * m1 * (1.0 / 2.0)
    h = -0.125 * s * s
    tail = m7 + h * m8 * (1.0 / 8.0)
    tail = m6 + h * tail * (1.0 / 7.0)
    tail = m5 + h * tail * (1.0 / 6.0)
    tail = m4 + h * tail * (1.0 / 5.0)
    tail = m3 + h * tail * (1.0 / 4.0)
    tail = m2 + h * tail * (1.0 / 3.0)
    tail = m1 + h * tail * (1.0 / 2.0)
    return slope * m0 + h * tail
