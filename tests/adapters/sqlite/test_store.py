"""The store: what goes in comes out, once, for its own market and account, and survives."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.adapters.sqlite.quote_cache import SqliteQuoteCache
from strikeloom.adapters.sqlite.replayed import _empty_leg, _leg_after
from strikeloom.adapters.sqlite.store import SqliteStore, open_store
from strikeloom.domain.fronts import FrontRow
from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import Evidence, MarketView, Outlook, Topic
from strikeloom.domain.orders import IntentState, Order, OrderState
from strikeloom.domain.outcomes import Ending, Outcome, Rule
from strikeloom.domain.positions import ExitDecision, ExitRequest, Urgency
from strikeloom.domain.quotes import Quote
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.domain.volatility import IV_SUMMARY, IvRank, Regime, WindowRank
from strikeloom.errors import StoreError
from strikeloom.ports.store import Alert, Heartbeat, KillSwitch, MarkRow
from strikeloom.trading.prepare import prepare_entry
from support.desk import MadeDesk
from support.fakes import EXPIRY, ist, option

NOW = ist("2026-02-11 10:00")
DAY = date(2026, 2, 10)


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return open_store(tmp_path / "store.db", "made", "replay:made")


def _result(run_id: str, verdict: Verdict = Verdict.DONE) -> StageResult:
    return StageResult(
        run_id=run_id,
        stage=Stage.STRATEGY_CREATION,
        market="made",
        account="replay:made",
        day=DAY,
        verdict=verdict,
        counts={"universe": 1, "done": 1, "refused": 0},
    )


def test_a_power_cut_cannot_lose_a_commit(store: SqliteStore) -> None:
    assert store.db.rows("PRAGMA journal_mode")[0][0] == "wal"
    assert store.db.rows("PRAGMA synchronous")[0][0] == 2
    assert store.db.rows("PRAGMA foreign_keys")[0][0] == 1


def test_every_table_carries_market_or_account(store: SqliteStore) -> None:
    tables = [r[0] for r in store.db.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        if table.startswith("sqlite_"):
            continue
        columns = {r[1]: r[5] for r in store.db.rows(f"PRAGMA table_info({table})")}
        assert "market" in columns, table
        keyed = columns["market"] > 0 or any(
            "market" in {c[2] for c in store.db.rows(f"PRAGMA index_info({index[1]})")}
            for index in store.db.rows(f"PRAGMA index_list({table})")
        )
        assert keyed or table == "alerts", table


def test_a_store_of_a_newer_version_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    store.close()
    raw = sqlite3.connect(tmp_path / "store.db")
    raw.execute("PRAGMA user_version=99")
    raw.close()
    with pytest.raises(StoreError, match=r"schema 99.*update strikeloom"):
        open_store(tmp_path / "store.db", "made", "replay:made")


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("not a database, and long enough to be read as one" * 50)
    with pytest.raises(StoreError, match="not a usable store"):
        open_store(tmp_path / "store.db", "made", "replay:made")


def test_several_processes_migrate_one_file(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from strikeloom.adapters.sqlite.store import open_store; "
        "open_store(Path(sys.argv[1]), 'made', 'replay:made').runs()"
    )
    path = str(tmp_path / "store.db")
    running = [subprocess.Popen([sys.executable, "-c", code, path]) for _ in range(4)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0, 0]


def test_runs_are_latest_finished_first(store: SqliteStore) -> None:
    store.start_run("a", Stage.STRATEGY_CREATION, DAY, NOW)
    assert store.latest_run(Stage.STRATEGY_CREATION, DAY) is None
    assert store.runs()[0]["verdict"] == "running"
    store.finish_run(_result("a"), NOW)
    store.finish_run(_result("b"), NOW + timedelta(minutes=1))
    store.finish_run(_result("c", Verdict.FAILED), NOW + timedelta(minutes=2))
    latest = store.latest_run(Stage.STRATEGY_CREATION, DAY)
    assert latest is not None
    assert latest.run_id == "b"
    assert store.runs()[0]["verdict"] == "failed"
    assert store.latest_run(Stage.STRATEGY_CREATION, date(2026, 2, 11)) is None


def _volatility(symbol: str, day: date, atm_iv: float, **values: object) -> pd.DataFrame:
    """One ``IV_SUMMARY`` row; numbers not given are missing."""
    blank = {"number": np.nan, "price": np.nan, "count": 0, "text": "", "date": pd.NaT}
    row = {name: blank[family] for name, family in IV_SUMMARY.columns.items()}
    row |= {"symbol": symbol, "day": pd.Timestamp(day), "atm_iv_30d": atm_iv} | values
    frame = pd.DataFrame([row])
    for name, family in IV_SUMMARY.columns.items():
        if family == "date":
            frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
        elif family in ("number", "price"):
            frame[name] = frame[name].astype("float64")
    return frame


def test_volatility_is_kept_once_a_day_and_never_from_later(store: SqliteStore) -> None:
    expiry = pd.Timestamp("2026-02-24")
    solved = _volatility("ACME", DAY, 0.2, expiry=expiry, strikes_used=6, quality="A")
    refused = _volatility("BETA", DAY, np.nan, reason="no option traded")
    later = _volatility("ACME", DAY + timedelta(days=1), 0.2)
    assert store.save_iv(pd.concat([solved, refused, later]), "m1") == 3
    store.save_iv(pd.concat([solved.assign(atm_iv_30d=0.3), refused]), "m2")
    found = store.iv_history(DAY)
    assert found["symbol"].tolist() == ["ACME", "BETA"]
    assert found["method"].tolist() == ["m2", "m2"]
    pd.testing.assert_frame_equal(found.head(1)[list(solved)], solved.assign(atm_iv_30d=0.3))
    assert np.isnan(found["atm_iv_30d"].iloc[1])
    assert pd.isna(found["expiry"].iloc[1])
    assert len(store.iv_history(DAY + timedelta(days=1))) == 3
    few = store.iv_history(DAY, columns=("symbol", "atm_iv_30d"))
    assert few.columns.tolist() == ["symbol", "atm_iv_30d", "method"]
    # a day is kept whole: what its corrected file no longer has goes, other days stay
    assert store.save_iv(refused, "m2") == 1
    assert store.iv_history(DAY)["symbol"].tolist() == ["BETA"]
    assert len(store.iv_history(DAY + timedelta(days=1))) == 2


def test_ranks_and_views_round_trip(store: SqliteStore) -> None:
    rows = [
        IvRank(
            "ACME",
            DAY,
            0.2,
            75.0,
            60.0,
            Regime.ELEVATED,
            63,
            45,
            40,
            windows=(WindowRank(21, 70.0, None, 21, 20), WindowRank(63, 75.0, 60.0, 45, 40)),
        ),
        IvRank("BETA", DAY, 0.2, None, None, None, None, 5, 20, "15 more days needed"),
    ]
    store.save_ranks(rows)
    assert store.ranks(DAY) == {row.symbol: row for row in rows}
    view = MarketView(
        "ACME", DAY, Outlook.BULLISH, 0.5, (Evidence("momentum", 1.0, 0.5, Topic.TREND),)
    )
    assert store.save_views([view]) == 1
    assert store.save_views([view]) == 1


def test_ranks_over_months_of_a_version_before_are_dropped_and_volatilities_stay(
    tmp_path: Path,
) -> None:
    path = tmp_path / "old.db"
    package = files("strikeloom.adapters.sqlite.migrations")
    current = open_store(tmp_path / "current.db", "made", "replay:made")
    current.save_iv(_volatility("ACME", DAY, 0.2), "m1")
    with closing(sqlite3.connect(path)) as old:
        for step in sorted(p.name for p in package.iterdir() if p.name < "0005"):
            if step.endswith(".sql"):
                old.executescript(package.joinpath(step).read_text("utf-8"))
        old.execute("PRAGMA user_version = 4")
        old.execute("ATTACH ? AS current", (str(tmp_path / "current.db"),))
        old.execute("INSERT INTO historical_iv_summary SELECT * FROM current.historical_iv_summary")
        window = '[{"months": 1, "percentile": 70.0, "rank": 60.0, "sample": 21, "needed": 20}]'
        old.execute(
            "INSERT INTO iv_percentiles (market, symbol, day, atm_iv, percentile, rank, regime, "
            "window_months, sample, needed, reason, windows) "
            "VALUES ('made', 'ACME', ?, 0.2, 70.0, 60.0, 'ELEVATED', 1, 21, 20, '', ?)",
            (DAY.isoformat(), window),
        )
        old.commit()
    upgraded = open_store(path, "made", "replay:made")
    assert upgraded.ranks(DAY) == {}
    assert upgraded.rank_history("ACME", DAY) == []
    pd.testing.assert_frame_equal(upgraded.iv_history(DAY), current.iv_history(DAY))
    row = IvRank("ACME", DAY, 0.2, 70.0, 60.0, Regime.ELEVATED, 21, 20, 20)
    upgraded.save_ranks([row])
    assert upgraded.ranks(DAY) == {"ACME": row}
    upgraded.close()
    current.close()


def test_proposals_come_back_exactly_and_once(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path)
    proposal = made.spread()
    store = made.store
    assert store.proposal(proposal.strategy_id) == proposal
    outcomes = [
        Outcome("NIFTY", "bull_put_spread", Ending.PICKED, Rule.RANK, "number 1 of 1 by score",
                legs=proposal.legs, expected_value=120_00, error=15_00, funds=9_000_00,
                score=2.5),
        Outcome("NIFTY", "iron_condor", Ending.REFUSED, Rule.COSTS, "costs take 60 %", 0.6, 0.5,
                "passes if a round trip costs less", legs=proposal.legs, expected_value=-3_00),
        Outcome("NIFTY", "long_call", Ending.BEATEN, Rule.RANK, "scores less", 1.5, 2.5,
                beaten_by="bull_put_spread", score=-1.25),
        Outcome("OTHER", "long_call", Ending.REFUSED, Rule.BAN, "in the ban period"),
    ]  # fmt: skip
    front = FrontRow("NIFTY", "bull_put_spread", proposal.legs, EXPIRY, 120_00, 15_00, -4_000_00,
                     0.625, 60_00, 8_000_00, 9_000_00)  # fmt: skip
    fronts = [front, replace(front, expected_value=90_00), replace(front, symbol="OTHER")]
    assert store.save_proposals("again", [proposal], outcomes, fronts) == (0, 0, 1)
    assert store.outcomes(DAY) == store.fronts(DAY) == []  # of a run that has not finished
    store.finish_run(_result("again"), NOW)
    assert store.proposals(DAY) == [proposal]
    assert store.outcomes(DAY) == outcomes
    assert store.outcomes(DAY, "OTHER") == outcomes[3:]
    assert store.fronts(DAY) == fronts
    assert store.fronts(DAY, "NIFTY") == fronts[:2]
    with pytest.raises(StoreError, match="has no strategy NOPE"):
        store.proposal("NOPE")
    made.close()


def test_other_figures_are_a_new_version_and_the_former_stays(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path)
    store, first = made.store, made.spread()
    name = first.strategy_id
    store.mark([MarkRow(name, DAY, 1, 1, "", NOW, version=1)])
    priced = replace(
        first,
        score=replace(first.score, total=0.9),
        legs=tuple(replace(leg, price=leg.price + 5) for leg in first.legs),
        exit_plan="debit",
    )
    assert store.save_proposals("later", [priced], []) == (0, 1, 0)
    assert store.save_proposals("same", [priced], []) == (0, 0, 1)
    assert store.proposal(name) == replace(priced, version=2)
    assert store.proposal(name, 1) == first
    with pytest.raises(StoreError, match=f"has no strategy {name} in version 3"):
        store.proposal(name, 3)
    for run, expected in (("later", replace(priced, version=2)),):
        store.finish_run(_result(run), NOW)
        assert store.proposals(DAY) == [expected]
    # what was marked before is entered and exited as it was seen then
    made.enter(first, 1)
    (position,) = store.positions()
    assert position.exit_plan == first.exit_plan
    # going back to the first figures is a third version: the newest counts
    assert store.save_proposals("back", [first], []) == (0, 1, 0)
    assert store.proposal(name) == replace(first, version=3)
    made.close()


def test_strategies_of_a_version_before_are_first_versions(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path / "now")
    proposal = made.spread()
    made.store.mark([MarkRow(proposal.strategy_id, DAY, 2, 1, "", NOW)])
    made.close()
    path = tmp_path / "old.db"
    package = files("strikeloom.adapters.sqlite.migrations")
    (newer,) = (tmp_path / "now").rglob("store.db")
    with closing(sqlite3.connect(path)) as old:
        for step in sorted(p.name for p in package.iterdir() if p.name < "0008"):
            if step.endswith(".sql"):
                old.executescript(package.joinpath(step).read_text("utf-8"))
        old.execute("PRAGMA user_version = 7")
        old.execute("ATTACH ? AS newer", (str(newer),))
        for table in ("strategies", "strategy_legs", "strategy_runs", "marks"):
            names = [row[1] for row in old.execute(f"PRAGMA main.table_info({table})")]
            listed = ", ".join(names)
            old.execute(
                f"INSERT INTO {table} ({listed}) SELECT {listed} FROM newer.{table}"  # noqa: S608
            )
        old.commit()
    upgraded = open_store(path, "made", "replay:made")
    assert upgraded.proposal(proposal.strategy_id) == proposal
    assert [row.version for row in upgraded.marks(DAY)] == [1]
    upgraded.close()


def test_rejections_of_a_version_before_are_outcomes(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    package = files("strikeloom.adapters.sqlite.migrations")
    with closing(sqlite3.connect(path)) as old:
        for step in sorted(p.name for p in package.iterdir() if p.name < "0009"):
            if step.endswith(".sql"):
                old.executescript(package.joinpath(step).read_text("utf-8"))
        old.execute("PRAGMA user_version = 8")
        rows = [("NIFTY", "iron_condor", "does not suit"), ("OTHER", "*", "no volatility")]
        for row in rows:
            old.execute("INSERT INTO rejections VALUES ('made', 'replay:made', 'r', ?, ?, ?)", row)
        old.commit()
    upgraded = open_store(path, "made", "replay:made")
    upgraded.finish_run(_result("r"), NOW)
    assert upgraded.outcomes(DAY) == [
        Outcome(symbol, template, Ending.REFUSED, Rule.UNSTATED, reason)
        for symbol, template, reason in rows
    ]
    assert upgraded.fronts(DAY) == []
    assert upgraded.proposals(DAY) == []
    upgraded.close()


def test_refusals_for_an_unlimited_loss_are_for_net_sold_options(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    package = files("strikeloom.adapters.sqlite.migrations")
    with closing(sqlite3.connect(path)) as old:
        for step in sorted(p.name for p in package.iterdir() if p.name < "0010"):
            if step.endswith(".sql"):
                old.executescript(package.joinpath(step).read_text("utf-8"))
        old.execute("PRAGMA user_version = 9")
        for name, rule in (("call_ladder", "unlimited loss"), ("long_call", "edge")):
            old.execute(
                "INSERT INTO outcomes VALUES ('made', 'replay:made', 'r', 'NIFTY', ?, 'refused', "
                "?, 'why', NULL, NULL, '', '', '[]', NULL, NULL, NULL, NULL)",
                (name, rule),
            )
        old.commit()
    upgraded = open_store(path, "made", "replay:made")
    upgraded.finish_run(_result("r"), NOW)
    rules = {row.template: row.rule for row in upgraded.outcomes(DAY)}
    assert rules == {"call_ladder": Rule.UNHEDGED, "long_call": Rule.EDGE}
    upgraded.close()


def test_marks_are_kept_once_and_not_removed_after_execution(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path)
    proposal = made.spread()
    row = MarkRow(proposal.strategy_id, DAY, 2, 1, "", NOW)
    assert made.store.mark([row]) == 1
    assert made.store.mark([replace(row, lots=9)]) == 0
    assert made.store.marks(DAY) == [row]
    made.enter(proposal, 2)
    assert made.store.unmark([proposal.strategy_id]) == 0
    assert made.store.marks(DAY) == [row]
    made.close()


def test_intents_are_all_or_none_and_bound_to_the_account(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path)
    intents = prepare_entry(made.desk, made.spread(), 1)
    foreign = replace(intents[1], account="dhan:other")
    with pytest.raises(StoreError, match="bound to replay:made"):
        made.store.record_intents([intents[0], foreign])
    broken = replace(intents[1], units=0)
    with pytest.raises(StoreError, match="CHECK"):
        made.store.record_intents([intents[0], broken])
    assert made.store.intents() == []
    assert made.store.record_intents(intents) == 2
    assert made.store.record_intents(intents) == 0
    assert [i.side for i in made.store.intents()] == [Side.BUY, Side.SELL]
    made.close()


def test_a_state_changes_only_from_what_is_expected(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path)
    intents = prepare_entry(made.desk, made.spread(), 1)
    made.store.record_intents(intents)
    name = intents[0].correlation_id
    made.store.take_lease("mine", 1)
    move = made.store.move_intent
    sending = {"expected": {IntentState.NEW}, "to": IntentState.SENDING, "at": NOW}
    assert not move(name, lease="other", **sending)
    assert move(name, lease="mine", **sending)
    assert not move(name, lease="mine", **sending)
    assert made.store.open_record().changed_at[name] == NOW
    made.close()


def test_a_terminal_order_never_goes_back(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path)
    intents = prepare_entry(made.desk, made.spread(), 1)
    made.store.record_intents(intents)
    first = intents[0]
    order = Order(
        "E1",
        first.correlation_id,
        first.instrument.key,
        first.side,
        65,
        65,
        first.limit,
        OrderState.TRADED,
        "",
        NOW,
    )
    made.store.record_order(order)
    made.store.record_order(replace(order, state=OrderState.PENDING, filled_units=0))
    assert made.store.orders() == [order]
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        made.store.record_order(replace(order, order_id="E2", correlation_id="unknown"))
    made.close()


trades = st.lists(
    st.tuples(st.sampled_from([-1, 1]), st.integers(1, 5), st.integers(5, 50_000)), max_size=12
)


@given(trades)
@settings(max_examples=300)
def test_cash_of_a_leg_is_kept_to_the_paisa(rows: list[tuple[int, int, int]]) -> None:
    """Realised profit less the cost of what is open is all the cash that ever moved."""
    leg = _empty_leg(0, option(25_000, Right.CALL))
    for side, lots, price in rows:
        leg = _leg_after(leg, side * lots * 65, price, entry=True)
    cash = sum(-side * lots * 65 * price for side, lots, price in rows)
    assert leg.net_units == sum(side * lots * 65 for side, lots, _ in rows)
    assert leg.realised - leg.open_value == cash
    if leg.net_units == 0:
        assert leg.open_value == 0


def test_a_request_is_stored_once_per_revision(store: SqliteStore) -> None:
    request = ExitRequest("R1", "replay:made", "made", "S1", 4, (0, 0), 100, "page", NOW)
    assert store.add_request(request) == (request, True)
    again = replace(request, request_id="R2", who="other tab")
    assert store.add_request(again) == (request, False)
    newer = replace(request, request_id="R3", revision=5)
    assert store.add_request(newer) == (newer, True)
    assert [r.request_id for r in store.requests()] == ["R1", "R3"]


def test_the_watchers_rows_replace_themselves(store: SqliteStore) -> None:
    decision = ExitDecision(
        "stop loss",
        Urgency.HIGH,
        fires=True,
        closeness=1.0,
        target_lots=(0, 0),
        sentence="too far",
    )
    store.record_cycle({"S1": [decision]}, {}, Heartbeat(NOW, NOW, 1, ""))
    calm = replace(decision, fires=False, urgency=Urgency.HOLD, closeness=0.4)
    later = NOW + timedelta(minutes=5)
    store.record_cycle({"S1": [calm]}, {}, Heartbeat(later, NOW, 1, ""))
    assert store.decisions("S1") == [calm]
    beat = Heartbeat(NOW, NOW, 7, "2 positions")
    store.beat(replace(beat, pid=6))
    store.beat(beat)
    assert store.heartbeat() == beat
    store.record_cycle({}, {"S1": 500}, Heartbeat(NOW, NOW, 1, ""))
    store.record_cycle({}, {"S1": 100}, Heartbeat(NOW, NOW, 1, ""))
    assert store.peaks() == {"S1": 500}
    store.add_alert(Alert(NOW, "warning", "one"))
    store.add_alert(Alert(NOW, "critical", "two"))
    assert [alert.text for alert in store.alerts()] == ["two", "one"]
    switch = KillSwitch(engaged=True, flatten=False, reason="test", at=NOW)
    assert not store.kill_switch().engaged
    store.set_kill_switch(switch)
    assert store.kill_switch() == switch
    assert store.replay_time() is None
    store.set_replay_time(NOW)
    assert store.replay_time() == NOW


def test_a_newer_quote_replaces_an_older_never_the_reverse(tmp_path: Path) -> None:
    cache = SqliteQuoteCache(tmp_path / "quotes.db", "made")
    other = SqliteQuoteCache(tmp_path / "quotes.db", "else")
    quote = Quote("K", 100, 105, None, 65, 65, 0, 0, NOW)
    older = replace(quote, bid=90, at=NOW - timedelta(seconds=1))
    newer = replace(quote, bid=None, bid_size=0, at=NOW + timedelta(seconds=1))
    cache.put([quote])
    cache.put([older])
    assert cache.get(["K", "unknown"]) == {"K": quote}
    cache.put([newer])
    assert cache.get(["K"]) == {"K": newer}
    assert other.get(["K"]) == {}


def test_a_newer_level_replaces_an_older_never_the_reverse(tmp_path: Path) -> None:
    cache = SqliteQuoteCache(tmp_path / "quotes.db", "made")
    other = SqliteQuoteCache(tmp_path / "quotes.db", "else")
    later = NOW + timedelta(seconds=1)
    cache.put_levels({"NIFTY": (25_000_00, NOW), "ITC": (400_00, NOW)})
    cache.put_levels({"NIFTY": (1, NOW - timedelta(seconds=1)), "ITC": (401_00, later)})
    cache.put_levels({})
    assert cache.levels(["NIFTY", "ITC", "unknown"]) == {
        "NIFTY": (25_000_00, NOW), "ITC": (401_00, later),
    }  # fmt: skip
    assert other.levels(["NIFTY"]) == {}


def test_a_leg_keeps_lot_and_tick_of_its_own_contract(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path)
    odd = made.show(replace(option(24_500, Right.PUT), lot_size=25, tick=1), 50_00, 50_01)
    proposal = made.propose([Leg(odd, Side.BUY, 1, 50_00)], "long_put")
    kept = made.store.proposal(proposal.strategy_id).legs[0].instrument
    assert (kept.lot_size, kept.tick, kept.kind) == (25, 1, odd.kind)
    made.close()
