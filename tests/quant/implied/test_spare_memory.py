"""A block is lent again only when nothing looks at it any more."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from strikeloom.quant.black76 import greeks
from strikeloom.quant.implied import spare_memory
from strikeloom.quant.implied.spare_memory import empty_table

SIZE = 200_000


@pytest.fixture(autouse=True)
def _nothing_spare() -> None:
    spare_memory._spare.clear()


def _place(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_memory_is_given_back_with_the_last_view() -> None:
    table = empty_table(6, SIZE)
    place, view = _place(table), table[2, 5:9]
    del table
    gc.collect()
    view[:] = 7.0
    other = empty_table(6, SIZE)
    other[:] = 1.0
    assert _place(other) != place
    assert view.tolist() == [7.0] * 4
    del view
    assert _place(empty_table(6, SIZE)) == place


def test_results_that_live_at_once_never_share() -> None:
    k = np.linspace(90, 110, SIZE)
    kept = [greeks(100.0, k, 0.1, vol, True) for vol in (0.1, 0.2, 0.3, 0.4)]
    for found, vol in zip(kept, (0.1, 0.2, 0.3, 0.4), strict=True):
        again = greeks(100.0, k, 0.1, vol, True)
        for ours, theirs in zip(found, again, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_threads_never_share() -> None:
    def work(number: int) -> bool:
        good = True
        for turn in range(20):
            table = empty_table(6, SIZE)
            table[:] = mark = number * 1000.0 + turn
            good &= bool((table == mark).all())
        return good

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_small_tables_are_plain(size: int) -> None:
    assert empty_table(6, size).shape == (6, size)
    assert not spare_memory._spare


def test_a_block_of_another_size_is_not_forced() -> None:
    big = empty_table(6, 10 * SIZE)
    assert big.shape == (6, 10 * SIZE)
    place = _place(big)
    del big
    assert _place(empty_table(6, SIZE)) != place
