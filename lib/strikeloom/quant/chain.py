"""Volatility and Greeks of a chain, or of the whole exchange, in one pass."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strikeloom.quant.black76 import Greeks
from strikeloom.quant.implied.engine import columns, rows
from strikeloom.quant.implied.spare_memory import empty_table

#: Rows per thread from which a further thread pays off.
_ROWS_A_THREAD = 4096


class ChainValues(NamedTuple):
    """Volatility, reason and Greeks of the prices of a chain, each of the broadcast shape.

    Attributes
    ----------
    vol : ndarray of float64
    reason : ndarray of int8
        ``implied.solver.Reason`` of each row.
    greeks : Greeks
        At that volatility, of one unit; NaN where there is none.
    """

    vol: NDArray[np.float64]
    reason: NDArray[np.int8]
    greeks: Greeks


def solve_chain(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    is_call: ArrayLike,
    discount: ArrayLike = 1.0,
    *,
    threads: int = 1,
) -> ChainValues:
    """Volatility, reason and Greeks of every row.

    Parameters
    ----------
    price, forward, strike, years, is_call, discount : array_like
        As in ``implied_vol``; bad rows and errors too.
    threads : int, default 1
        Threads to share the rows among; the results do not depend on it.
    """
    shape, size, inputs = columns(price, forward, strike, years, is_call, discount)
    vol, reason = np.empty(size), np.empty(size, dtype=np.int8)
    table = empty_table(6, size)
    path = rows(size)
    parts = max(1, min(threads, size // _ROWS_A_THREAD))
    edges = np.linspace(0, size, parts + 1).astype(int).tolist()
    if parts == 1:
        path.chain_rows(inputs, vol, reason, table, 0, size)
    else:
        with ThreadPoolExecutor(parts) as pool:
            work = [
                pool.submit(path.chain_rows, inputs, vol, reason, table, *ends)
                for ends in pairwise(edges)
            ]
            for part in work:
                part.result()
    lines = table.reshape(6, *shape)
    return ChainValues(vol.reshape(shape), reason.reshape(shape), Greeks(*lines))
