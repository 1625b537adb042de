"""What must hold of any valuation: nothing for nothing, sums, mirrors, order, missing values."""

from __future__ import annotations

import numpy as np
import pytest

from quant.candidates.cases import (
    DISCOUNT,
    FORWARD,
    HOLDING,
    STRIKES,
    YEARS,
    lognormal_cdf,
    market,
)
from strikeloom.errors import DataError
from strikeloom.quant.candidates.contracts import Contracts, Horizons, value_tables
from strikeloom.quant.candidates.densities import Densities, price_nodes, table_mean
from strikeloom.quant.candidates.value import Candidates, CandidateValues, value_candidates
from strikeloom.quant.smile.curves import Curves

MARKET = market()


def _values(rows: list[list[int]], units: list[list[float]], made=MARKET) -> CandidateValues:
    return value_candidates(Candidates(np.array(rows), np.array(units, dtype=float)), made.tables)


def test_a_conversion_and_a_box_are_worth_nothing() -> None:
    row = MARKET.row
    conversion = [row(0, "U"), row(100, "P"), row(100, "C"), row(100, "C")]
    box = [row(95, "C"), row(95, "P"), row(105, "C"), row(105, "P")]
    values = _values([conversion, box], [[1, 1, -1, 0], [1, -1, -1, 1]])
    np.testing.assert_allclose(values.smile.mean, 0, atol=1e-6)
    np.testing.assert_allclose(values.smile.tail, 0, atol=1e-6)
    # the interest until expiry is the whole payoff, whatever happens
    np.testing.assert_allclose(values.max_profit, -values.premium / DISCOUNT + values.premium)
    np.testing.assert_allclose(values.max_loss, 0)
    np.testing.assert_allclose(values.smile.chance, 1, atol=1e-12)
    assert np.isnan(values.breakevens).all()
    np.testing.assert_allclose([values.delta, values.gamma, values.vega], 0, atol=1e-9)


def test_means_and_greeks_are_sums_over_contracts() -> None:
    draw = np.random.default_rng(4)
    rows = draw.integers(0, len(MARKET.contracts.strike), (200, 4))
    units = draw.choice([-3.0, -1, 1, 2], (200, 4))
    values = value_candidates(Candidates(rows, units), MARKET.tables)
    single = np.arange(len(MARKET.contracts.strike))[:, None]
    each = value_candidates(Candidates(single, np.ones(single.shape)), MARKET.tables)
    for whole, part in (
        *((getattr(values, n), getattr(each, n)) for n in ("delta", "gamma", "theta", "vega")),
        (values.premium, each.premium),
        (values.decay, each.decay),
        (values.smile.mean, each.smile.mean),
        (values.real.mean, each.real.mean),
    ):
        np.testing.assert_allclose(whole, (units * part[rows]).sum(axis=1), atol=1e-9)
    assert (values.real.tail <= values.real.mean + 1e-6).all()


def test_the_result_does_not_depend_on_threads_or_on_neighbours() -> None:
    draw = np.random.default_rng(5)
    rows = draw.integers(0, len(MARKET.contracts.strike), (9000, 4))
    units = draw.choice([-1.0, 1, 2], (9000, 4))
    one = value_candidates(Candidates(rows, units), MARKET.tables)
    two = value_candidates(Candidates(rows, units), MARKET.tables, threads=3)
    back = value_candidates(Candidates(rows[::-1], units[::-1]), MARKET.tables)
    for part, other, reverse in zip(one, two, back, strict=True):
        np.testing.assert_array_equal(np.array(part), np.array(other))
        flipped = np.array(reverse)
        flipped = flipped[:, ::-1] if np.array(reverse).shape[0] == 3 else flipped[::-1]
        np.testing.assert_array_equal(np.array(part), flipped)


def _arithmetic(mirrored: bool) -> tuple[Contracts, Horizons]:
    """Symmetrical strikes; a lopsided density, or its reflection about the forward."""
    forward = 100.0
    nodes = price_nodes(np.array([forward]), np.array([0.06]))

    def below(price: np.ndarray, deviation: float) -> np.ndarray:
        shifted = 2 * forward - price if mirrored else price
        found = lognormal_cdf(np.maximum(shifted, 1e-9), forward, deviation)
        return 1 - found if mirrored else found

    dense = np.linspace(0, 200, 200_001)
    strikes = np.arange(80.0, 122.5, 2.5)
    strike = np.concatenate((strikes, strikes))
    is_call = np.repeat([True, False], len(strikes))
    cumulated = np.concatenate(([0], np.cumsum(0.5 * np.diff(dense) * (
        below(dense, 0.06)[1:] + below(dense, 0.06)[:-1]))))  # fmt: skip
    put = np.interp(strike, dense, cumulated)
    price = np.where(is_call, put + forward - strike, put)
    one = np.ones(len(strike))
    curves = MARKET.contracts.curves.pick(np.zeros(len(strike), dtype=int))
    contracts = Contracts(
        strike, is_call, YEARS * one, forward * one, one, curves,
        np.zeros(len(strike), dtype=np.int64), price, 0.1 * one, one, one, one,
    )  # fmt: skip
    cdf = np.stack((below(nodes, 0.06), below(nodes, 0.05)))
    horizons = Horizons(
        *(np.array([x]) for x in (forward, forward, YEARS, 1.0, HOLDING)),
        Densities(nodes, cdf, np.full((2, 1), forward)),
    )
    return contracts, horizons


def test_a_mirrored_chain_gives_mirrored_figures() -> None:
    draw = np.random.default_rng(6)
    count = 17
    place, call = draw.integers(0, count, (500, 4)), draw.random((500, 4)) < 0.5
    units = draw.choice([-1.0, 1.0], (500, 4))
    # puts and calls alike bought and sold, so that no loss ends at a price of zero
    plain, turned = _arithmetic(False), _arithmetic(True)
    rows = place + count * ~call
    mirrored = (count - 1 - place) + count * call
    one = value_candidates(Candidates(rows, units), value_tables(*plain))
    two = value_candidates(Candidates(mirrored, units), value_tables(*turned))
    np.testing.assert_allclose(one.premium, two.premium, atol=1e-4)
    for mine, other in ((one.smile, two.smile), (one.real, two.real)):
        np.testing.assert_allclose(mine.chance, other.chance, atol=2e-4)
        np.testing.assert_allclose(mine.mean, other.mean, atol=2e-3)
        np.testing.assert_allclose(mine.tail, other.tail, atol=5e-3)


def test_an_unknown_real_world_is_missing_and_nothing_else_is() -> None:
    made = market(real=False)
    row = made.row
    rows = [[row(100, "C"), row(110, "C")], [row(100, "C"), row(100, "C", later=True)]]
    values = _values(rows, [[1, -1], [-1, 1]], made)
    known = _values(rows, [[1, -1], [-1, 1]])
    assert np.isnan(np.array(values.real)).all()
    np.testing.assert_array_equal(np.array(values.smile), np.array(known.smile))
    np.testing.assert_array_equal(values.max_loss, known.max_loss)


def test_a_missing_price_makes_a_missing_candidate() -> None:
    price = MARKET.contracts.price.copy()
    price[MARKET.row(100, "C")] = np.nan
    tables = value_tables(MARKET.contracts._replace(price=price), MARKET.horizons)
    for other in (MARKET.row(110, "C"), MARKET.row(100, "C", later=True)):
        rows = np.array([[MARKET.row(100, "C"), other]])
        values = value_candidates(Candidates(rows, np.array([[-1.0, 1.0]])), tables)
        for name in ("premium", "max_profit", "max_loss"):
            assert np.isnan(getattr(values, name)).all(), name
        assert np.isnan(np.array(values.smile)).all()


@pytest.mark.parametrize("refused", ["near", "later"])
def test_a_refused_smile_makes_its_figures_missing(refused: str) -> None:
    """A payoff needs no smile; a later leg has no worth without its own and the near one."""
    none = Curves.refused(1)
    made = market(near=none) if refused == "near" else market(later=none)
    row = made.row
    price = np.where(np.isnan(made.contracts.price), 2.0, made.contracts.price)
    tables = value_tables(made.contracts._replace(price=price), made.horizons)
    rows = np.array([[row(95, "P"), row(90, "P")], [row(95, "P"), row(95, "P", later=True)]])
    values = value_candidates(Candidates(rows, np.array([[-1.0, 1], [-1, 1]])), tables)
    assert values.max_loss[0] == pytest.approx(5 - values.premium[0])
    for figure in (values.max_profit, values.max_loss, *values.smile, *values.real):
        assert np.isnan(figure[1])
    assert np.isnan(values.breakevens[1]).all()
    assert np.isnan(np.array(values.smile)[:, 0]).all() == (refused == "near")


def test_legs_of_no_units_do_not_count() -> None:
    row = MARKET.row
    short = _values([[row(95, "P"), row(90, "P")]], [[-1, 1]])
    long = _values(
        [[row(95, "P"), row(90, "P"), row(95, "P", later=True), row(120, "C")]], [[-1, 1, 0, 0]]
    )
    for name in short._fields:
        if name == "breakevens":
            np.testing.assert_array_equal(short.breakevens, long.breakevens[:, :3])
        else:
            np.testing.assert_array_equal(getattr(short, name), getattr(long, name))


def test_wrong_input_is_refused_by_name() -> None:
    contracts, horizons = MARKET.contracts, MARKET.horizons
    with pytest.raises(DataError, match="order of their horizons"):
        value_tables(contracts._replace(horizon=contracts.horizon - 1), horizons)
    with pytest.raises(DataError, match="before its horizon"):
        value_tables(contracts._replace(years=contracts.years * 0.5), horizons)
    lone = horizons.densities._replace(cdf=horizons.densities.cdf[:1])
    with pytest.raises(DataError, match="densities"):
        value_tables(contracts, horizons._replace(densities=lone))
    with pytest.raises(DataError, match="pad short candidates"):
        _values([[0, 999]], [[1, 1]])
    with pytest.raises(DataError, match="units of shape"):
        _values([[0, 1]], [[1]])


def test_legs_of_two_horizons_are_refused() -> None:
    contracts, horizons = MARKET.contracts, MARKET.horizons
    twice = Contracts(*(
        part if part is None
        else type(part)(*(np.concatenate((x, x)) for x in part)) if isinstance(part, tuple)
        else np.concatenate((part, part + (name == "horizon")))
        for name, part in zip(contracts._fields, contracts, strict=True)
    ))  # fmt: skip
    d = horizons.densities
    both = Densities(
        np.concatenate((d.nodes, d.nodes)),
        np.concatenate((d.cdf, d.cdf), axis=1),
        np.concatenate((d.mean, d.mean), axis=1),
    )
    doubled = Horizons(*(np.concatenate((x, x)) for x in horizons[:-2]), both)
    tables = value_tables(twice, doubled)
    count = len(contracts.strike)
    with pytest.raises(DataError, match="different horizons"):
        value_candidates(Candidates(np.array([[0, count]]), np.ones((1, 2))), tables)
    # the second chain gives what the first does
    rows = np.array([[0, 40, 21, 55]])
    units = np.array([[1.0, -1, 1, -1]])
    one = value_candidates(Candidates(rows, units), tables)
    two = value_candidates(Candidates(rows + count, units), tables)
    for part, other in zip(one, two, strict=True):
        np.testing.assert_array_equal(np.array(part), np.array(other))


def test_a_mean_by_the_table_is_the_densitys() -> None:
    nodes = MARKET.horizons.densities.nodes
    cdf = lognormal_cdf(nodes, 103.0, 0.08)[None]
    assert table_mean(nodes, cdf)[0, 0] == pytest.approx(103.0, abs=1e-4)
    # a jump: everything at one price, spread over the cell that holds it
    jump = (nodes >= FORWARD).astype(float)[None]
    assert table_mean(nodes, jump)[0, 0] == pytest.approx(FORWARD, rel=4e-3)
    assert len(STRIKES) == 17


def test_no_candidates_have_no_figures() -> None:
    values = value_candidates(
        Candidates(np.zeros((0, 3), dtype=int), np.zeros((0, 3))), MARKET.tables
    )
    assert values.premium.shape == (0,)
    assert values.breakevens.shape == (0, 4)
    assert values.real.tail.shape == (0,)


def test_the_kernels_give_the_same_without_compilation() -> None:
    """As plain Python runs them where numba is missing."""
    from strikeloom.quant.candidates import columns as at
    from strikeloom.quant.candidates import grid_kernel, payoff_kernel

    draw = np.random.default_rng(9)
    rows = draw.integers(0, len(MARKET.contracts.strike), (40, 4))
    units = draw.choice([-1.0, 1, 2], (40, 4))
    values = value_candidates(Candidates(rows, units), MARKET.tables)
    later = (MARKET.tables.figures[rows, at.IS_LATER] > 0).any(axis=1)
    out = np.empty((at.CANDIDATE_FIGURES + 5, 40))
    payoff_kernel.value_payoffs.py_func(np.flatnonzero(~later), rows, units, MARKET.tables, out)
    grid_kernel.value_grids.py_func(np.flatnonzero(later), rows, units, MARKET.tables, out)
    np.testing.assert_allclose(out[at.MAX_LOSS], values.max_loss, rtol=1e-12)
    np.testing.assert_allclose(out[at.FIRST_DENSITY + 2], values.smile.tail, rtol=1e-12)
    np.testing.assert_allclose(out[at.CANDIDATE_FIGURES :].T, values.breakevens, rtol=1e-12)
