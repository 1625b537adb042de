"""Margins of candidates are those of the structures one by one, now and after each shock."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.risk.candidates import (
    FUTURE,
    OPTION,
    SHARE,
    ContractTable,
    candidate_margins,
    scan_table,
)
from strikeloom.risk.margin import margin_parts
from strikeloom.risk.margin_legs import MarginLegs
from strikeloom.risk.parameters import span_parameters
from strikeloom.risk.shocks import after_shock, shocks

DAY = date(2026, 2, 11)


def _contracts(rng, level, years):
    """Options over each expiry, a future of each and the share; prices a little off the model."""
    strikes = np.round(level * np.exp(np.linspace(-0.45, 0.45, 25)), 0)
    columns = []
    for number, left in enumerate(years):
        forward = level * (1 + 0.01 * number)
        for is_call in (True, False):
            columns += [(OPTION, k, is_call, forward, 0.15 + 0.1 * rng.random(), left, np.nan)
                        for k in strikes]  # fmt: skip
        columns.append((FUTURE, 0.0, True, forward, 0.2, left, np.nan))
    columns.append((SHARE, 0.0, True, level, 0.2, 0.0, np.nan))
    kind, strike, call, forward, vol, left, value = (
        np.array(column) for column in zip(*columns, strict=True)
    )
    value = np.where(rng.random(len(kind)) < 0.5, 0.03 * level, value)
    return ContractTable(kind, strike, call, forward, vol, left, value)


def _candidates(rng, table, count=400, legs=5):
    rows = rng.integers(-1, len(table.kind) - 1, (count, legs))  # the share is the last row
    units = rng.integers(-3, 4, (count, legs)) * 50.0
    return rows, units


def _legs(table, rows, units):
    at = np.maximum(rows, 0)
    future = table.kind[at] == FUTURE
    return MarginLegs(
        np.where(future, 1.0, table.strikes[at]),
        table.is_call[at],
        np.where(rows < 0, 0.0, units),
        table.forward[at],
        table.vol[at],
        table.years[at],
        np.where(future, np.nan, table.value[at]),
        np.zeros(rows.shape),
        future,
    )


@pytest.mark.parametrize(
    ("kind", "symbol", "level", "years"),
    [
        (InstrumentKind.INDEX, "NIFTY", 25_000.0, (0.02, 0.1, 0.3)),
        (InstrumentKind.INDEX, "NIFTYFPI", 25_000.0, (0.0, 0.02, 0.9)),
        (InstrumentKind.STOCK, "RELIANCE", 1_400.0, (0.0, 0.08)),
        (InstrumentKind.STOCK, "RELIANCE", 1_400.0, (0.05,)),
    ],
)
def test_each_candidate_needs_what_it_needs_alone(kind, symbol, level, years):
    rng = np.random.default_rng(5)
    parameters, known = span_parameters(kind, symbol, DAY), shocks(kind, DAY)
    contracts = _contracts(rng, level, years)
    rows, units = _candidates(rng, contracts)
    table = scan_table(contracts, 0.3, parameters, known, beta=1.2)
    found = candidate_margins(table, rows, units)
    alone = _legs(contracts, rows, units)
    scan = np.full(len(rows), 0.3)
    now = margin_parts(alone, scan, parameters).total
    np.testing.assert_allclose(found.margin[:, 0], now, rtol=1e-9, atol=1e-6)
    assert (found.margin[:, 0] > 0).mean() > 0.9
    assert (found.variation[:, 0] == 0).all()
    futures = np.where(alone.is_future, units * (rows >= 0) * alone.forward, 0.0).sum(axis=1)
    for column, shock in enumerate(known, start=1):
        after = after_shock(alone, scan, parameters, shock, beta=1.2)
        np.testing.assert_allclose(
            found.margin[:, column], after.margin.total, rtol=1e-9, atol=1e-6
        )
        np.testing.assert_allclose(
            found.variation[:, column], futures * (float(shock.move(1.2)) - 1), rtol=1e-9, atol=1e-6
        )


def test_a_share_has_no_part_in_a_scan_and_threads_change_nothing():
    rng = np.random.default_rng(6)
    contracts = _contracts(rng, 1_400.0, (0.05, 0.13))
    parameters = span_parameters(InstrumentKind.STOCK, "RELIANCE", DAY)
    table = scan_table(contracts, 0.4, parameters, shocks(InstrumentKind.STOCK, DAY))
    rows, units = _candidates(rng, contracts)
    plain = candidate_margins(table, rows, units)
    share = np.full((len(rows), 1), len(contracts.kind) - 1)
    with_share = candidate_margins(
        table, np.hstack([rows, share]), np.hstack([units, np.full(share.shape, 500.0)]), threads=3
    )
    assert (with_share.margin == plain.margin).all()
    assert (with_share.variation == plain.variation).all()


def test_bought_options_need_nothing_whatever_happens():
    contracts = _contracts(np.random.default_rng(7), 1_400.0, (0.05,))
    parameters = span_parameters(InstrumentKind.STOCK, "RELIANCE", DAY)
    table = scan_table(contracts, 0.4, parameters, shocks(InstrumentKind.STOCK, DAY))
    found = candidate_margins(table, np.array([[3, 20]]), np.array([[50.0, 100.0]]))
    assert (found.margin == 0).all()
    assert table.states[:2] == ("now", "gap_down_5")


def test_rows_and_units_are_checked():
    contracts = _contracts(np.random.default_rng(7), 1_400.0, (0.05,))
    parameters = span_parameters(InstrumentKind.STOCK, "RELIANCE", DAY)
    table = scan_table(contracts, 0.4, parameters)
    with pytest.raises(DataError, match=r"from 0 to 500; the table has 52 contracts"):
        candidate_margins(table, np.array([[0, 500]]), np.ones((1, 2)))
    with pytest.raises(DataError, match="not finite"):
        candidate_margins(table, np.array([[0, 1]]), np.array([[1.0, np.nan]]))
