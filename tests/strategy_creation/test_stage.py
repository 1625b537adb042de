"""The whole stage on the synthetic market: every pair decided, repeatable."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from strikeloom import strategy_creation as creation
from strikeloom.desk import open_desk
from strikeloom.domain.instruments import (
    FutureContract,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
    Underlying,
)
from strikeloom.domain.market import Outlook
from strikeloom.domain.outcomes import Ending, Outcome, Rule
from strikeloom.domain.output import StageOutput
from strikeloom.domain.proposals import Proposal
from strikeloom.domain.templates import StructurePurpose
from strikeloom.errors import DataError, SettingsError, StageError
from strikeloom.nse.sessions import next_trading_day
from strikeloom.ports.desk import Desk
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.chain import Chain
from strikeloom.strategy_creation.choose import Chosen, Pick
from strikeloom.strategy_creation.load import LoadedChains
from strikeloom.strategy_creation.refusal import refused_symbol
from strikeloom.strategy_creation.score import score


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIKELOOM_HOME", str(tmp_path_factory.mktemp("home")))
        return open_desk("synthetic", stage="strategy-creation")


def _run(desk: Desk, run_id: str, risk: str = "") -> tuple[list[Proposal], StageOutput]:
    loaded = creation.load_chains(desk)
    views, unseen = creation.form_views(desk, loaded)
    built = creation.build(desk, loaded, views, risk)
    chosen = creation.choose(desk, built, risk)
    proposals = creation.propose(desk, chosen)
    outcomes = [*unseen, *chosen.outcomes]
    output = creation.save(desk, run_id, loaded, proposals, outcomes, built.fronts)
    return proposals, output


def test_every_symbol_and_template_is_picked_beaten_or_refused_once(desk: Desk) -> None:
    proposals, output = _run(desk, "first")
    outcomes = output.tables["outcomes"]
    answered = Counter(zip(outcomes["symbol"], outcomes["template"], strict=True))
    symbols = creation.load_chains(desk).universe
    assert answered == Counter((symbol, name) for symbol in symbols for name in TEMPLATES)
    assert (outcomes["reason"] != "").all()
    picked = outcomes[outcomes["ending"] == "picked"]
    assert Counter(zip(picked["symbol"], picked["template"], strict=True)) == Counter(
        (row.symbol, row.template) for row in proposals
    )
    counts = output.result.outputs
    assert counts["picked"] + counts["beaten"] + counts["refused"] == len(symbols) * len(TEMPLATES)
    assert len(proposals) > 20


def test_a_symbol_alone_has_the_chain_and_view_that_it_has_among_all(desk: Desk) -> None:
    """Medians, forecasts and relative strength are over all symbols, whoever is asked for."""
    whole = creation.load_chains(desk)
    views, _ = creation.form_views(desk, whole, keep=False)
    kinds = {chain.underlying.kind: symbol for symbol, chain in whole.chains.items()}
    assert len(kinds) == 2
    for symbol in kinds.values():
        alone = creation.load_chains(desk, [symbol])
        (chain,), other = alone.chains.values(), whole.chains[symbol]
        assert chain.flow == other.flow
        assert np.isfinite([chain.flow.usual_interest, chain.flow.usual_volume]).all()
        for own, same in zip(chain.expiries, other.expiries, strict=True):
            pd.testing.assert_frame_equal(
                own.rows.reset_index(drop=True), same.rows.reset_index(drop=True)
            )
            assert (own.forecast, own.smile, own.underlying) == (
                same.forecast, same.smile, same.underlying
            )  # fmt: skip
        assert (chain.missing, chain.monthly) == (other.missing, other.monthly)
        assert creation.form_views(desk, alone, keep=False)[0] == {symbol: views[symbol]}


def test_a_structure_without_an_outcome_or_with_two_is_an_error(desk: Desk) -> None:
    loaded = creation.load_chains(desk)
    whole = [
        Outcome(symbol, name, Ending.REFUSED, Rule.VIEW, "made")
        for symbol in loaded.chains
        for name in TEMPLATES
    ]
    creation.save(desk, "whole", loaded, [], whole, keep=False)
    for wrong in (whole[1:], [*whole, whole[0]]):
        with pytest.raises(DataError, match=f"{whole[0].template} of {whole[0].symbol} has"):
            creation.save(desk, "wrong", loaded, [], wrong, keep=False)


def test_a_day_without_ranks_is_refused_with_the_command_that_makes_them(desk: Desk) -> None:
    """As after a change of version that drops ranks of another definition."""
    kept = desk.store.ranks(desk.day)
    with desk.store.db.transaction() as db:
        db.execute("DELETE FROM iv_percentiles WHERE symbol = ?", (min(kept),))
    with pytest.raises(StageError, match=f"{min(kept)} .*run strikeloom run iv-history --date"):
        creation.load_chains(desk)
    desk.store.save_ranks(kept.values())
    assert creation.load_chains(desk).chains


class _Forgetful:
    """``ports.instruments.Instruments`` that has no row for one symbol."""

    def __init__(self, desk: Desk, symbol: str) -> None:
        self._known, self._symbol = desk.instruments, symbol

    def underlying(self, symbol: str) -> Underlying:
        if symbol == self._symbol:
            raise DataError(f"underlying {symbol} has no row")
        return self._known.underlying(symbol)

    def instrument(self, key: str, day: date) -> OptionContract:
        return self._known.instrument(key, day)

    def order_limit(self, instrument: OptionContract, day: date) -> int | None:
        return self._known.order_limit(instrument, day)

    def tick(self, symbol: str, kind: InstrumentKind, day: date, right: str = "") -> int:
        return self._known.tick(symbol, kind, day, right)


def test_a_symbol_without_a_sector_is_refused_alone(desk: Desk) -> None:
    whole = creation.load_chains(desk)
    symbol = next(iter(whole.chains))
    loaded = creation.load_chains(replace(desk, instruments=_Forgetful(desk, symbol)))
    assert set(whole.chains) - set(loaded.chains) == {symbol}
    assert _why_refused(loaded, symbol) == (Rule.CHAIN, f"underlying {symbol} has no row")


def _why_refused(loaded: LoadedChains, symbol: str) -> tuple[Rule, str]:
    """The one rule and reason for which every structure of a symbol is refused."""
    mine = [row for row in loaded.refused if row.symbol == symbol]
    assert sorted(row.template for row in mine) == sorted(TEMPLATES)
    ((rule, reason),) = {(row.rule, row.reason) for row in mine}
    assert rule.is_of_symbol
    return rule, reason


class _Ending:
    """``ports.history.History`` in which the series of one symbol all end on a day."""

    def __init__(self, desk: Desk, symbol: str, ends: date | None) -> None:
        self._known, self._symbol, self._ends = desk.history, symbol, ends

    def __getattr__(self, name: str) -> Any:
        return getattr(self._known, name)

    def as_of(self, day: date) -> Any:
        frame = self._known.as_of(day).contracts(day)
        frame["last_day"] = frame["last_day"].mask(
            frame["symbol"] == self._symbol, np.datetime64(self._ends or "NaT", "s")
        )
        past = self._known.as_of(day)
        return SimpleNamespace(
            contracts=lambda _: frame,
            prices=past.prices,
            indices=past.indices,
            actions=past.actions,
            banned=past.banned,
        )


class _Banning:
    """``ports.history.History`` with the ban list of a day, or without one."""

    def __init__(self, desk: Desk, day: date, symbols: frozenset[str] | None) -> None:
        self._known, self._lists = desk.history, {day: symbols}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._known, name)

    def as_of(self, day: date) -> Any:
        past = self._known.as_of(day)
        return SimpleNamespace(
            contracts=past.contracts,
            prices=past.prices,
            indices=past.indices,
            actions=past.actions,
            banned=self._lists.get,
        )


class _Counting:
    """``ports.history.History`` that counts the reads of index levels, and may have fewer."""

    def __init__(self, desk: Desk, rows: int = 1_000_000) -> None:
        self._known, self._rows, self.reads = desk.history, rows, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._known, name)

    def as_of(self, day: date) -> Any:
        past = self._known.as_of(day)

        def indices(*args: Any, **given: Any) -> Any:
            self.reads += 1
            return past.indices(*args, **given).head(self._rows)

        names = ("contracts", "prices", "actions", "banned")
        return SimpleNamespace(indices=indices, **{name: getattr(past, name) for name in names})


def test_index_levels_are_read_once_for_all_symbols(desk: Desk) -> None:
    counting = _Counting(desk)
    loaded = creation.load_chains(replace(desk, history=counting))
    assert len(loaded.chains) > 20
    assert counting.reads == 1
    expiries = [expiry for chain in loaded.chains.values() for expiry in chain.expiries]
    pasts = {expiry.expiry: expiry.past for expiry in expiries}
    assert all(expiry.past is pasts[expiry.expiry] for expiry in expiries)


def test_a_market_without_index_levels_is_a_warning_of_the_run(desk: Desk) -> None:
    loaded = creation.load_chains(replace(desk, history=_Counting(desk, rows=0)))
    assert [text for text in loaded.warnings if "no index is stored" in text]
    assert all(
        expiry.past.windows == 0 for chain in loaded.chains.values() for expiry in chain.expiries
    )


def test_a_short_history_leaves_the_forecast_alone_and_it_is_stated(desk: Desk) -> None:
    """Of 90 synthetic sessions too few windows are separate, but for the nearest expiries."""
    proposals, output = _run(desk, "real world")
    for proposal in proposals:
        past = proposal.risk.past_windows
        assert past > 0
        (real,) = (text for text in proposal.reasons if text.startswith("In the real world"))
        assert f"{past} separate windows" in real
        assert ("and 24 are needed" in real) == (past < 24)
    assert {"forecast_probability", "forecast_value"} <= set(output.tables["proposals"])


@pytest.mark.parametrize("days", [0, 1])
def test_a_symbol_in_the_ban_period_is_refused_by_name(desk: Desk, days: int) -> None:
    """By the list of the day on which it would be entered, else by that of the day itself."""
    listed = next_trading_day(desk.day) if days else desk.day
    whole = creation.load_chains(desk)
    symbol = next(s for s, c in whole.chains.items() if c.underlying.kind is InstrumentKind.STOCK)
    banning = _Banning(desk, listed, frozenset({symbol}))
    loaded = creation.load_chains(replace(desk, history=banning))
    assert set(whole.chains) - set(loaded.chains) == {symbol}
    rule, reason = _why_refused(loaded, symbol)
    assert rule is Rule.BAN
    assert "ban period" in reason
    assert loaded.warnings == ()


def test_a_missing_ban_list_is_a_warning_of_the_run(desk: Desk) -> None:
    unknown = replace(desk, history=_Banning(desk, desk.day, None))
    loaded = creation.load_chains(unknown)
    assert loaded.chains.keys() == creation.load_chains(desk).chains.keys()
    refused = [row for name in loaded.chains for row in refused_symbol(name, Rule.BAN, "made")]
    output = creation.save(unknown, "unlisted", loaded, [], refused, keep=False)
    (warning,) = output.result.warnings
    assert f"no ban list of {desk.day}" in warning
    known = creation.save(desk, "listed", creation.load_chains(desk), [], refused, keep=False)
    assert known.result.warnings == ()


def test_a_series_that_ends_before_its_expiry_is_refused(desk: Desk) -> None:
    whole = creation.load_chains(desk)
    symbol = next(iter(whole.chains))
    ends = whole.chains[symbol].day
    loaded = creation.load_chains(replace(desk, history=_Ending(desk, symbol, ends)))
    assert set(whole.chains) - set(loaded.chains) == {symbol}
    assert _why_refused(loaded, symbol) == (
        Rule.CHAIN,
        f"the exchange ends this series on {ends}, before its expiry",
    )


def test_a_source_without_last_days_refuses_nothing(desk: Desk) -> None:
    whole = creation.load_chains(desk)
    symbol = next(iter(whole.chains))
    loaded = creation.load_chains(replace(desk, history=_Ending(desk, symbol, None)))
    assert loaded.chains.keys() == whole.chains.keys()
    expiries = [expiry.expiry for expiry in loaded.chains[symbol].expiries]
    assert expiries == [expiry.expiry for expiry in whole.chains[symbol].expiries]


def test_a_second_run_finds_the_same_ids_and_adds_nothing(desk: Desk) -> None:
    first, _ = _run(desk, "second")
    again, output = _run(desk, "third")
    assert again == first
    assert output.result.outputs["new"] == 0
    assert output.result.outputs["already_known"] == len(first)
    kept = {p.strategy_id: p for p in (desk.store.proposal(q.strategy_id) for q in first)}
    for proposal in first:
        assert replace(kept[proposal.strategy_id], reasons=()) == replace(proposal, reasons=())


def test_scores_are_sums_of_their_parts_and_convictions_bounded(desk: Desk) -> None:
    proposals, _ = _run(desk, "fourth")
    fit = desk.settings.creation.fit
    for proposal in proposals:
        parts = dict(proposal.score.parts)
        assert proposal.score.total == pytest.approx(sum(parts.values()))
        assert parts["tail"] <= 0
        others = sum(value for name, value in parts.items() if name not in ("earnings", "tail"))
        assert 0 <= others <= fit + 1e-12
        hedge = proposal.purpose is StructurePurpose.PROTECT
        assert (proposal.conviction is None) == hedge
        assert hedge or 0 <= proposal.conviction <= 100


def test_an_earner_is_expected_to_earn_more_than_its_error(desk: Desk) -> None:
    """Under every profile, by the figures that are kept; and no symbol has more than it may."""
    for risk in desk.settings.creation.profiles:
        proposals, output = _run(desk, f"earners {risk}", risk)
        profile = desk.settings.creation.profile(risk)
        earners = [row for row in proposals if row.purpose is not StructurePurpose.PROTECT]
        assert earners
        for row in earners:
            assert row.risk.edge is not None
            assert row.risk.edge > profile.errors * (row.risk.error or 0) - 1
            assert (row.risk.forecast_probability or 0) >= profile.min_probability_of_profit - 0.01
        count = Counter(row.symbol for row in earners)
        assert max(count.values()) <= desk.settings.creation.keep_per_symbol
        hedges = Counter(row.symbol for row in proposals if row not in earners)
        assert set(hedges.values()) <= {1}
        kept = desk.store.outcomes(desk.day)
        assert not kept or {row.ending for row in kept} == set(Ending)
        assert np.isfinite(output.tables["fronts"].select_dtypes("number").to_numpy()).all()


def test_legs_are_listed_and_traded(desk: Desk) -> None:
    proposals, _ = _run(desk, "fifth")
    fewest = desk.settings.creation.min_lots_traded
    contracts = desk.history.contracts(desk.day)
    key = contracts.set_index(["symbol", "expiry", "strike", "right"])
    for proposal in proposals:
        for leg in proposal.legs:
            c = leg.instrument
            if isinstance(c, Share):
                assert proposal.spot == leg.price
                continue
            if isinstance(c, FutureContract):
                row = key.loc[(c.symbol, np.datetime64(c.expiry), 0.0, "XX")]
                assert row["traded"]
                assert round(row["close"] * 100) == leg.price
                continue
            row = key.loc[(c.symbol, np.datetime64(c.expiry), c.strike / 100, c.right.value)]
            assert row["traded"]
            assert row["lots_traded"] >= fewest
            assert row["lot_size"] == c.lot_size
            assert round(row["close"] * 100) == leg.price


def _with_rows(chain: Chain, rows: pd.DataFrame) -> Chain:
    """The chain with other options at its front, and at no other expiry."""
    return replace(chain, expiries=(replace(chain.front, rows=rows),), next=None)


def test_every_leg_last_traded_in_the_closing_half_hour(desk: Desk) -> None:
    loaded = creation.load_chains(desk)
    views, _ = creation.form_views(desk, loaded, keep=False)
    symbol = max(views, key=lambda name: len(loaded.chains[name].front.rows))
    chain = loaded.chains[symbol]
    one = replace(loaded, chains={symbol: chain})
    view = {symbol: views[symbol]}
    structures = creation.build(desk, one, view).structures
    leg = structures[0].legs[0].instrument
    assert leg.expiry == chain.front.expiry
    rows = chain.front.rows.copy()
    at = (rows["strike"] == leg.strike / 100) & (rows["right"] == leg.right.value)
    assert at.sum() == 1
    # the exchange settles an option whose last trade is older at a model price, not at its close
    rows.loc[at, "settle"] = rows.loc[at, "close"] + 5
    old = replace(one, chains={symbol: _with_rows(chain, rows)})
    again = creation.build(desk, old, view).structures
    assert any(leg == each.instrument for s in structures for each in s.legs)
    assert not any(leg == each.instrument for s in again for each in s.legs)
    # old files and live chains have no settlement prices: their options are accepted
    rows["settle"] = np.nan
    plain = creation.build(desk, replace(one, chains={symbol: _with_rows(chain, rows)}), view)
    assert plain.structures[0].legs == structures[0].legs
    unsized = replace(one, chains={symbol: _with_rows(chain, rows.assign(lot_size=0))})
    none = creation.build(desk, unsized, view)
    assert not none.structures
    assert none.fronts == []
    # contracts of an unknown lot size are not tradable; what needs no strikes is refused as before
    early = {
        row.template: row.rule
        for row in plain.refused
        if row.rule in (Rule.VIEW, Rule.NAKED, Rule.EXPIRY)
    }
    assert {row.template: row.rule for row in none.refused} == (
        dict.fromkeys(TEMPLATES, Rule.STRIKES) | early
    )


def test_only_an_aggressive_profile_sees_net_sold_options(desk: Desk) -> None:
    without = {Rule.UNHEDGED, Rule.NAKED}
    endings = {}
    for risk in ("moderate", "aggressive"):
        proposals, output = _run(desk, f"limits {risk}", risk)
        table = output.tables["outcomes"].set_index(["symbol", "template"])
        endings[risk] = table["ending"], table["rule"].map(Rule)
        if risk == "moderate":
            assert all(p.risk.max_loss is not None for p in proposals)
            sold = [TEMPLATES[p.template].net_sold(right) for p in proposals for right in Right]
            assert not any(sold)
    excluded = endings["moderate"][1].isin(without)
    assert excluded.any()
    assert not endings["aggressive"][1].isin(without).any()
    assert set(endings["aggressive"][0][excluded]) & {"picked", "beaten"}


def test_an_unknown_profile_names_the_known(desk: Desk) -> None:
    with pytest.raises(SettingsError, match="known: conservative, moderate, aggressive"):
        _run(desk, "eighth", "reckless")


def test_every_template_is_built_drawn_stored_and_a_candidate(desk: Desk) -> None:
    """A stock and the index, whatever the view, with limits that let all through."""
    loaded = creation.load_chains(desk)
    kinds = {chain.underlying.kind: symbol for symbol, chain in loaded.chains.items()}
    some = replace(loaded, chains={name: loaded.chains[name] for name in kinds.values()})
    views, _ = creation.form_views(desk, some, keep=False)
    found: dict[tuple[str, str], Proposal] = {}
    lenient = _lenient(desk)
    settings = lenient.settings.creation
    profile = settings.profile("aggressive")
    for outlook in Outlook:
        turned = {name: replace(view, outlook=outlook) for name, view in views.items()}
        built = creation.build(lenient, some, turned, "aggressive")
        assert all(row.rule is Rule.VIEW for row in built.refused), built.refused
        picks = [
            Pick(made, made.figures, score(made, made.figures, settings, profile), 50.0)
            for made in built.structures
            if made.figures is not None
        ]
        assert len(picks) == len(built.structures)
        proposals = creation.propose(lenient, Chosen(picks, []))
        found.update({(row.symbol, row.template): row for row in proposals})
    assert {template for _, template in found} == set(TEMPLATES)
    assert len(found) == 2 * len(TEMPLATES)
    desk.store.save_proposals("every", list(found.values()), [])
    for proposal in found.values():
        kept = desk.store.proposal(proposal.strategy_id)
        assert (kept.legs, kept.risk) == (proposal.legs, proposal.risk)
        assert proposal.risk.margin + max(0, -proposal.risk.net_premium) > 0
        assert len(proposal.reasons) >= 7
    (index,) = (name for kind, name in kinds.items() if kind is InstrumentKind.INDEX)
    covered = found[index, "covered_call"]
    future, call = (leg.instrument for leg in covered.legs)
    assert isinstance(future, FutureContract)
    assert future.expiry == call.expiry
    assert covered.risk.net_premium > 0
    stock = kinds[InstrumentKind.STOCK]
    held, _ = found[stock, "covered_call"].legs
    assert isinstance(held.instrument, Share)
    assert held.lots == found[stock, "covered_call"].legs[1].instrument.lot_size


def _lenient(desk: Desk) -> Desk:
    """The desk with an aggressive profile that excludes nothing and keeps all."""
    settings = desk.settings.creation
    open_profile = settings.profiles["aggressive"].model_copy(
        update={
            "min_probability_of_profit": 0.0,
            "min_reward_to_risk": 0.0,
            "errors": 0.0,
            "max_cost_share": 1.0,
        }
    )
    changed = settings.model_copy(
        update={"keep_per_symbol": 50, "profiles": {"aggressive": open_profile}}
    )
    return replace(desk, settings=desk.settings.model_copy(update={"creation": changed}))
