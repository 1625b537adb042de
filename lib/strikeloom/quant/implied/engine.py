"""Choice of the path that computes: compiled kernels once loaded, numpy until then.

numba takes a third of a second to load and its kernels a few seconds to compile once, so both
wait until enough options were requested. A warm cache is loaded at once; a cold one is
compiled in a thread while numpy answers. Both paths run the same formulas.
"""

from __future__ import annotations

import logging
import math
import threading
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strikeloom.errors import DataError
from strikeloom.quant.implied import numpy_rows
from strikeloom.quant.kernel_cache import cache_folder, import_kernels

_log = logging.getLogger(__name__)
_SOURCES = tuple(
    f"implied.{name}" for name in ("kernels", "normal", "near_vol", "deep_vol", "formulas")
)
_KERNELS = 3  # compiled functions in the cache
#: Rows in numpy that cost about as much as loading the kernels; a call costs some by itself.
_LOAD_FROM, _ROWS_A_CALL = 2_000_000, 3_000


class _Engine:
    """The path in use, and the state of loading the compiled one."""

    def __init__(self) -> None:
        self.path: Any = numpy_rows
        self.requested = 0
        self.thread: threading.Thread | None = None
        self.lock = threading.Lock()

    def rows(self, size: int) -> Any:
        """Module with the row functions for a call of so many rows."""
        if self.path is numpy_rows and self.thread is None:
            self.requested += size + _ROWS_A_CALL
            if self.requested >= _LOAD_FROM:
                self.load(wait=False)
        return self.path

    def load(self, *, wait: bool) -> None:
        with self.lock:
            if self.thread is None:
                # not a daemon: a compilation interrupted at exit may crash the process
                self.thread = threading.Thread(target=self._load, name="compile", daemon=False)
                warm = _is_warm()
                self.thread.start()
                wait = wait or warm
        if wait:
            self.thread.join()

    def _load(self) -> None:
        try:
            self.path = _import_kernels()
        except Exception as error:  # noqa: BLE001 - numpy is used; the reason is logged once
            _log.warning("compiled kernels are not available, numpy is used: %r", error)


_engine = _Engine()


def rows(size: int) -> Any:
    """Module with ``vol_rows``, ``greek_rows``, ``value_rows``, ``chain_rows`` to use now."""
    return _engine.rows(size)


def load() -> bool:
    """Load or compile the kernels and wait; whether they are in use from now on."""
    _engine.load(wait=True)
    return _engine.path is not numpy_rows


def _is_warm() -> bool:
    try:
        return (cache_folder(_SOURCES) / "complete").exists()
    except ImportError:
        return True  # nothing to wait for


def _import_kernels() -> Any:
    kernels = import_kernels("implied.kernels", _SOURCES)
    folder = cache_folder(_SOURCES)
    if len(list(folder.glob("*/*.nbc"))) >= _KERNELS:
        (folder / "complete").touch()
    return kernels


def columns(
    first: ArrayLike,
    second: ArrayLike,
    third: ArrayLike,
    fourth: ArrayLike,
    is_call: ArrayLike,
    discount: ArrayLike,
) -> tuple[tuple[int, ...], int, numpy_rows.Inputs]:
    """Broadcast shape, its size, and the arguments as flat contiguous arrays.

    One number is repeated for a block only, see ``numpy_rows.BLOCK``.

    Raises
    ------
    DataError
        When ``is_call`` holds anything but truth values.
    """
    call = np.asarray(is_call)
    if call.dtype.kind not in "bui" and call.size:
        raise DataError(
            f"is_call holds {call.dtype}; give True for a call and False for a put, "
            "for example (right == 'CE')"
        )
    values = [_numbers(v) for v in (first, second, third, fourth, discount)]
    shape = np.broadcast_shapes(call.shape, *(v.shape for v in values))
    size = math.prod(shape)
    f1, f2, f3, f4, df = (_flat(v, shape, size) for v in values)
    return shape, size, (f1, f2, f3, f4, _flat(call.astype(np.bool_, copy=False), shape, size), df)


def _numbers(values: ArrayLike) -> NDArray[np.float64]:
    """As float64; what is masked is missing."""
    if np.ma.is_masked(values):
        values = np.ma.asarray(values, dtype=np.float64).filled(np.nan)
    return np.asarray(values, dtype=np.float64)


def _flat(values: NDArray[Any], shape: tuple[int, ...], size: int) -> NDArray[Any]:
    if values.size == 1:
        return np.full(min(size, numpy_rows.BLOCK), values.reshape(-1)[0])
    whole = values if values.shape == shape else np.broadcast_to(values, shape)
    return np.ascontiguousarray(whole).reshape(-1)
