"""The search: complete where it is bounded, better than the nearest strikes, even wings even."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from strikeloom import strategy_creation as creation
from strikeloom.desk import open_desk
from strikeloom.domain.instruments import OptionContract
from strikeloom.errors import NotBuildable
from strikeloom.ports.desk import Desk
from strikeloom.settings.creation import SearchSettings
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.search import ChainSearch, prepare_search, ranking, search
from strikeloom.strategy_creation.strikes import TradableStrikes, choose
from strikeloom.strategy_creation.structure import Structure, structure_of

EVERY = SearchSettings(candidates=10**9, starts=1, rounds=0)
NAMES = ("iron_condor", "bull_put_spread", "call_butterfly", "call_calendar", "covered_call",
         "double_diagonal", "jade_lizard", "long_strangle")  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIKELOOM_HOME", str(tmp_path_factory.mktemp("home")))
        return open_desk("synthetic", stage="strategy-creation")


@pytest.fixture(scope="module")
def chains(desk: Desk) -> list[TradableStrikes]:
    loaded = creation.load_chains(desk)
    return [TradableStrikes(chain, 10) for chain in list(loaded.chains.values())[:10]]


def _prepared(desk: Desk, strikes: TradableStrikes, settings: SearchSettings) -> ChainSearch:
    return prepare_search(strikes, settings, desk.settings.creation.shocks, desk.settings.iv.rate)


def _worth(structure: Structure, rate: float) -> float:
    """Expected value after a round trip, from the evaluation apart from the search; paise."""
    (risk,) = creation.evaluate([structure], rate, [])
    value = risk.expected_value if risk.forecast_value is None else risk.forecast_value
    assert risk.round_trip is not None
    return value + risk.charges - risk.round_trip


def test_a_bounded_search_finds_nearly_the_best_of_all(
    desk: Desk, chains: list[TradableStrikes]
) -> None:
    """Within 1 % on ten symbols, of the expected value after costs over funds."""
    compared, usual = 0, desk.settings.creation.search
    for strikes in chains:
        every, few = _prepared(desk, strikes, EVERY), _prepared(desk, strikes, usual)
        for name in NAMES:
            try:
                whole, some = search(every, TEMPLATES[name]), search(few, TEMPLATES[name])
            except NotBuildable:
                continue
            assert whole.tried == whole.possible
            assert some.rank >= whole.rank - 0.01 * abs(whole.rank) - 1e-12, name
            compared += whole.possible > usual.candidates
    assert compared >= 5


def test_it_is_never_worse_than_the_nearest_strikes(
    desk: Desk, chains: list[TradableStrikes]
) -> None:
    """By figures of the evaluation: what is expected after a round trip, of the same template."""
    rate = desk.settings.iv.rate
    better = worse = 0
    views, _ = creation.form_views(desk, creation.load_chains(desk), keep=False)
    for strikes in chains[:5]:
        prepared = _prepared(desk, strikes, EVERY)
        view = views[strikes.chain.underlying.symbol]
        for name in NAMES:
            try:
                best = search(prepared, TEMPLATES[name])
                near = choose(TEMPLATES[name], strikes)
            except NotBuildable:
                continue
            found = structure_of(TEMPLATES[name], view, strikes, best.choice)
            nearest = structure_of(TEMPLATES[name], view, strikes, near)
            better += _worth(found, rate) > _worth(nearest, rate)
            worse += _worth(found, rate) < _worth(nearest, rate)
    # ranked over funds: a smaller one that binds less may come before
    assert better >= 2 * worse
    assert better >= 3


def test_wings_of_butterflies_are_even(desk: Desk, chains: list[TradableStrikes]) -> None:
    seen = 0
    for strikes in chains:
        try:
            best = search(_prepared(desk, strikes, EVERY), TEMPLATES["call_butterfly"])
        except NotBuildable:
            continue
        options = [
            strikes.of(choice.expiry, leg.right).strike[choice.place]
            for leg, choice in zip(TEMPLATES["call_butterfly"].legs, best.choice, strict=True)
            if leg.right is not None
        ]
        low, middle, high = sorted(options)
        assert high - middle == pytest.approx(middle - low, rel=0.35)
        seen += 1
    assert seen >= 3


def test_a_noisy_value_is_ranked_below_a_sure_one_and_a_free_one_not_at_all() -> None:
    nan = np.full(3, np.nan)
    values = SimpleNamespace(
        real=SimpleNamespace(mean=np.array([1_000.0, 1_000.0, 1_000.0])),
        smile=SimpleNamespace(mean=nan),
        costs=np.full(3, 200.0),
        error=np.array([100.0, 800.0, 100.0]),
        max_loss=np.array([5_000.0, 5_000.0, 0.0]),
    )
    rank = ranking(values, np.full(3, 10_000.0))  # type: ignore[arg-type]
    assert rank[0] == pytest.approx(800 / 10_000 * 64 / 65)
    assert rank[1] == pytest.approx(800 / 10_000 * 0.5)
    assert rank[2] == -np.inf


def test_without_a_forecast_it_is_ranked_by_the_smile_and_funds_are_at_least_the_costs() -> None:
    values = SimpleNamespace(
        real=SimpleNamespace(mean=np.array([np.nan])),
        smile=SimpleNamespace(mean=np.array([-50.0])),
        costs=np.array([100.0]),
        error=np.array([10.0]),
        max_loss=np.array([np.inf]),
    )
    assert ranking(values, np.array([-500.0]))[0] == pytest.approx(-1.5)  # type: ignore[arg-type]


def test_a_structure_states_how_many_choices_were_tried(desk: Desk) -> None:
    loaded = creation.load_chains(desk)
    views, _ = creation.form_views(desk, loaded, keep=False)
    some = dict(list(views.items())[:3])
    structures, _ = creation.build(desk, loaded, some)
    assert any(item.possible > 1 for item in structures)
    for item in structures:
        assert 1 <= item.tried <= item.possible
        strikes = [
            leg.instrument for leg in item.legs if isinstance(leg.instrument, OptionContract)
        ]
        assert len(strikes) >= 1
