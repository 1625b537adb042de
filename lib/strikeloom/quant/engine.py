"""Which path computes: compiled kernels where they are loaded, numpy until then.

numba takes a third of a second to load and its kernels a few seconds to compile once, so both
wait until enough options were asked for. A warm cache is loaded at once; a cold one is
compiled in a thread while numpy answers. Both paths run the same formulas.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib
import logging
import math
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strikeloom.errors import DataError
from strikeloom.quant import plain

_log = logging.getLogger(__name__)
_SOURCES = ("kernels", "normal", "near_vol", "deep_vol", "rows")
_KERNELS = 3  # of them are kept
#: Rows in numpy that cost about as much as loading the kernels; a call costs some by itself.
_WORTH_LOADING, _ROWS_A_CALL = 2_000_000, 3_000


class _Engine:
    """The path in use, and what is known about the other."""

    def __init__(self) -> None:
        self.path: Any = plain
        self.asked = 0
        self.thread: threading.Thread | None = None
        self.lock = threading.Lock()

    def rows(self, size: int) -> Any:
        """Module with the row functions for a call of so many rows."""
        if self.path is plain and self.thread is None:
            self.asked += size + _ROWS_A_CALL
            if self.asked >= _WORTH_LOADING:
                self.load(wait=False)
        return self.path

    def load(self, *, wait: bool) -> None:
        with self.lock:
            if self.thread is None:
                # not a daemon: a compilation that is cut off at exit may take the process down
                self.thread = threading.Thread(target=self._load, name="compile", daemon=False)
                warm = _is_warm()
                self.thread.start()
                wait = wait or warm
        if wait:
            self.thread.join()

    def _load(self) -> None:
        try:
            self.path = _import_kernels()
        except Exception as error:  # noqa: BLE001 - numpy answers; the reason is told once
            _log.warning("compiled kernels are not available, numpy is used: %r", error)


_engine = _Engine()


def rows(size: int) -> Any:
    """Module with ``vol_rows``, ``greek_rows``, ``value_rows``, ``chain_rows`` to use now."""
    return _engine.rows(size)


def load() -> bool:
    """Load or compile the kernels and wait; whether they are in use from now on."""
    _engine.load(wait=True)
    return _engine.path is not plain


def _digest() -> str:
    """Everything the machine code depends on.

    numba's own stamp sees the size and time of one file; a wheel's files all have one time.
    """
    import llvmlite
    import numba
    from llvmlite.binding import get_host_cpu_features, get_host_cpu_name

    config: Any = numba.config
    folder = Path(__file__).parent
    parts = [str(folder), sys.version, numba.__version__, llvmlite.__version__]
    parts += [get_host_cpu_name(), get_host_cpu_features().flatten()]
    parts += [str(config.CPU_NAME), str(config.CPU_FEATURES), str(config.OPT)]
    parts += [str((folder / "kernels.py").stat().st_mtime_ns)]
    parts += [(folder / f"{name}.py").read_text(encoding="utf-8") for name in _SOURCES]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _homes() -> Iterator[Path]:
    """Folders a cache may live in, the most local first; never one that others can write."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        yield Path(given)
    yield Path(__file__).parent / "__pycache__"
    home = os.environ.get("XDG_CACHE_HOME")
    yield (Path(home) if home else Path("~").expanduser() / ".cache") / "strikeloom"


def _cache_folder() -> Path:
    name = f"kernels-{_digest()}"
    for home in _homes():
        try:
            (home / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=home / name):
                return home / name
        except (OSError, RuntimeError):
            continue
    folder = Path(tempfile.mkdtemp(prefix="strikeloom-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _is_warm() -> bool:
    try:
        return (_cache_folder() / "complete").exists()
    except ImportError:
        return True  # nothing to wait for


def _import_kernels() -> Any:
    import numba

    config: Any = numba.config
    folder = _cache_folder()
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        kernels = importlib.import_module("strikeloom.quant.kernels")
    finally:
        config.CACHE_DIR = before
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
) -> tuple[tuple[int, ...], int, plain.Inputs]:
    """Broadcast shape, its size, and the arguments as flat contiguous arrays.

    One number is repeated for a block only, see ``plain.BLOCK``.

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
        return np.full(min(size, plain.BLOCK), values.reshape(-1)[0])
    return np.ascontiguousarray(np.broadcast_to(values, shape)).reshape(-1)
