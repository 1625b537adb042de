"""Functions compiled for this processor where numba is installed, plain Python otherwise.

A module of kernels is imported only when first used, since importing numba takes longer than most
calculations of the desk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile at the first call, cache on disk, run without the interpreter lock.

    Division by zero gives infinity or NaN as in numpy arrays; kernels guard it themselves
    where they must run uncompiled too. Without numba the function is returned as it is: the
    same numbers, some hundred times slower.
    """
    try:
        from numba import njit
    except ImportError:
        return function
    made = njit(cache=True, nogil=True, error_model="numpy")(function)
    return cast(Function, made)
