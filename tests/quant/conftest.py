"""Both paths of the engine for every test that asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from strikeloom.quant.implied import engine, numpy_rows

PATHS = ("numpy", "compiled")


@contextmanager
def computed_by(path: str) -> Iterator[None]:
    """Everything inside runs in numpy, or in compiled kernels."""
    state = engine._engine
    before = state.path, state.requested
    if path == "compiled":
        assert engine.load()
    else:
        state.path, state.requested = numpy_rows, -(10**12)
    try:
        yield
    finally:
        if path == "numpy":
            state.path, state.requested = before


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    with computed_by(request.param):
        yield request.param
