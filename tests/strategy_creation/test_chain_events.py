"""Known events in stage 02: whose they are, what is warned of, and the sentence of a proposal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from strikeloom.domain.instruments import InstrumentKind, Underlying
from strikeloom.domain.proposals import Score
from strikeloom.errors import DataError
from strikeloom.nse.events import KnownEvent, events_ahead, read_events
from strikeloom.nse.renames import KnownAs
from strikeloom.ports.desk import Desk
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.chain_events import (
    ChainEvents,
    read_chain_events,
    symbol_events,
)
from strikeloom.strategy_creation.choose import Pick
from strikeloom.strategy_creation.earnings import CandidateFigures
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.explain import explain
from strikeloom.strategy_creation.model_chain import model_structure

HEADER = "date,time,symbols,sector,kind,title,known_from,known_until,source"
GENERAL = "2026-02-20,,,,election,Polls,2026-01-01,,x"
DAY = date(2026, 2, 10)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRIKELOOM_CONFIG", str(tmp_path))
    return tmp_path / "events.csv"


def _read(market: str, config: Path, *lines: str) -> ChainEvents:
    config.write_text("\n".join((HEADER, *lines)), encoding="utf-8")
    desk = cast(Desk, SimpleNamespace(market=market, day=DAY))
    past: Any = SimpleNamespace(
        known_as=lambda name: KnownAs({"OLDNAME": "NEWNAME"}.get(name, name))
    )
    return read_chain_events(desk, past, frozenset({"RELIANCE", "NEWNAME"}))


def _of(found: ChainEvents, symbol: str) -> list[str]:
    underlying = Underlying(symbol, InstrumentKind.STOCK, "Power")
    return [event.title for event in found.ahead(underlying)]


def test_a_synthetic_market_has_only_events_that_name_its_symbols(config: Path) -> None:
    lines = (
        GENERAL,
        "2026-02-19,,,Power,other,Rules,2026-01-01,,x",
        "2026-02-18,,RELIANCE,,results,Results,2026-01-01,,x",
    )
    assert _of(_read("nse", config, *lines), "RELIANCE") == ["Results", "Rules", "Polls"]
    synthetic = _read("synthetic-7", config, *lines)
    assert _of(synthetic, "RELIANCE") == ["Results"]
    assert synthetic.warnings == []


def test_a_former_name_leads_to_the_symbol_of_the_day(config: Path) -> None:
    found = _read("nse", config, GENERAL, "2026-02-18,,OLDNAME,,results,Results,2026-01-01,,x")
    assert _of(found, "NEWNAME") == ["Results", "Polls"]
    assert found.warnings == []


def test_a_symbol_without_options_is_a_warning_with_its_line(config: Path) -> None:
    found = _read("nse", config, GENERAL, "2026-02-18,,RELIANC,,results,Results,2026-01-01,,x")
    (warning,) = found.warnings
    assert warning == (
        f"{config}, line 3: RELIANC has no options on 2026-02-10; did you mean RELIANCE?"
    )


@pytest.mark.parametrize(
    "line",
    [
        "2026-02-10,10:00,,,policy,past,2026-01-01,,x",
        "2026-02-20,,,,policy,not yet known,2026-02-11,,x",
        "2026-02-20,,RELIANCE,,results,of one name,2026-01-01,,x",
    ],
)
def test_a_day_after_the_last_known_event_of_the_market_is_a_warning(
    config: Path, line: str
) -> None:
    (warning,) = _read("nse", config, line).warnings
    assert "no later event of the whole market is on record as known on 2026-02-10" in warning
    assert str(config) in warning


def test_a_symbol_without_a_sector_has_its_own_events_and_the_markets(config: Path) -> None:
    lines = (GENERAL, "2026-02-18,,NEWCO,,results,Results,2026-01-01,,x",
             "2026-02-19,,,Power,other,Rules,2026-01-01,,x")  # fmt: skip
    config.write_text("\n".join((HEADER, *lines)), encoding="utf-8")

    def unknown(symbol: str) -> Underlying:
        raise DataError(f"underlying {symbol} has no row")

    parts: Any = {
        "market": "nse",
        "day": DAY,
        "instruments": SimpleNamespace(underlying=unknown),
        "history": SimpleNamespace(as_of=lambda day: SimpleNamespace(day=day)),
    }
    found = symbol_events(cast(Desk, SimpleNamespace(**parts)), "NEWCO")
    assert [event.text for event in found] == ["Results on 2026-02-18", "Polls on 2026-02-20"]


def _sentences(events: tuple[KnownEvent, ...]) -> list[str]:
    structure = model_structure(TEMPLATES["iron_condor"])
    with_events = replace(structure, chain=replace(structure.chain, events=events))
    (risk,) = evaluate([with_events], 0.0)
    pick = Pick(with_events, CandidateFigures(*[np.float64(0)] * 13), Score(0.0, ()), 0.0)
    return [s for s in explain(pick, risk, 0.0) if "known events" in s]


def test_a_proposal_warns_of_events_before_its_expiry(config: Path) -> None:
    """The model chain is of 2026-02-10, its front expires on 2026-03-10."""
    lines = (
        GENERAL,
        "2026-03-06,10:00,,,policy,RBI policy,2026-01-01,,x",
        "2026-03-11,,,,other,after expiry,2026-01-01,,x",
    )
    config.write_text("\n".join((HEADER, *lines)), encoding="utf-8")
    events = events_ahead(read_events(), Underlying("M", InstrumentKind.STOCK, "Power"), DAY)
    assert _sentences(events) == [
        "Prices may jump on known events: Polls on 2026-02-20, 11 sessions before expiry; "
        "RBI policy on 2026-03-06 at 10:00, two sessions before expiry."
    ]
    assert _sentences(()) == []
