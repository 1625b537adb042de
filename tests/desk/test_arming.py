"""Real orders: refused unless everything is in place; then the same path, against loopback.

The one thing set aside here is the rule that mode live has no local addresses: the adapter, its
client and the desk are those that would meet the broker.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from strikeloom.adapters.dhan.rate_limiter import LIMITS, CallClass, RateLimiter
from strikeloom.desk import keys, open_desk
from strikeloom.desk import open as opening
from strikeloom.desk.dhan import live_account, wire
from strikeloom.desk.ready import arm, disarm
from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState, Order, OrderIntent, OrderState, Purpose
from strikeloom.domain.proposals import Proposal
from strikeloom.errors import GuardError, Rejected, SettingsError
from strikeloom.monitor import kill, request_exit, run_cycle
from strikeloom.ports.desk import Desk, Mode
from strikeloom.settings.all import Settings, load_settings
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry
from strikeloom.trading.send import OrderRateLimiter
from support.desk import MadeDesk, check_now
from support.fakes import ist, option, order
from support.local_exchange import LocalExchange, local_exchange

TODAY, LAST4 = "2026-02-11", "0001"
SOLD, BOUGHT = option(24_800, Right.PUT), option(24_600, Right.PUT)


def _allowed(**caps: float) -> Settings:
    settings = load_settings()
    live = settings.desk.live.model_copy(update={"allowed": True, **caps})
    return settings.model_copy(update={"desk": settings.desk.model_copy(update={"live": live})})


@pytest.fixture
def local(
    tmp_path: Path, drawn_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalExchange]:
    (drawn_home / "history" / "nse").symlink_to((drawn_home / "history" / "synthetic-7").resolve())
    monkeypatch.setattr(keys, "env_file", lambda: tmp_path / ".env")
    monkeypatch.setattr(opening, "live_account", lambda *_: "dhan:proven")
    # the exchange's minutes pass in no time: what did not tick meanwhile is asked for
    monkeypatch.setattr("strikeloom.adapters.dhan.feed._FRESH", 0.0)
    for kind in (CallClass.OTHER, CallClass.QUOTE):  # how they are kept has tests of its own
        monkeypatch.setitem(LIMITS, kind, {1.0: 1000})
    with local_exchange(tmp_path / "exchange", limits=False) as served:
        for name, value in served.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("STRIKELOOM_MARKET", "nse")
        monkeypatch.setenv("DHAN_CLIENT_ID", served.client_id)
        monkeypatch.setenv("DHAN_ACCESS_TOKEN", served.token)
        served.market.show(SOLD, 119_50, 120_50)
        served.market.show(BOUGHT, 69_50, 70_50)
        yield served


def _live(settings: Settings | None = None) -> Desk:
    return open_desk("nse", mode="live", settings=settings or _allowed())


def _armed() -> Desk:
    arm("nse", LAST4, TODAY, settings=_allowed())
    return _live()


def _propose(desk: Desk, tmp_path: Path) -> Proposal:
    """A bull put spread, on record in the desk's store."""
    made = MadeDesk(tmp_path / "made")
    legs = [Leg(SOLD, Side.SELL, 1, 120_00), Leg(BOUGHT, Side.BUY, 1, 70_00)]
    proposal = replace(made.propose(legs), market="nse")
    made.close()
    desk.store.save_proposals("made", [proposal], [])
    return proposal


def _cycle(desk: Desk, local: LocalExchange) -> None:
    with Lease(desk.home, desk.store) as lease:
        run_cycle(desk, lease, OrderRateLimiter(1e6), desk.clock)
    local.step(5)
    local.market.show(SOLD, 119_50, 120_50)
    local.market.show(BOUGHT, 69_50, 70_50)


def test_nothing_is_live_by_default(local: LocalExchange) -> None:
    with pytest.raises(SettingsError, match=r"live.allowed is off in config/desk.yaml"):
        open_desk("nse", mode="live")
    with pytest.raises(SettingsError, match=r"live.allowed is off"):
        arm("nse", LAST4, TODAY)
    with pytest.raises(SettingsError, match=r"dhan:proven is not armed; strikeloom arm"):
        _live()


@pytest.mark.parametrize(
    ("digits", "day", "message"),
    [
        ("0002", TODAY, "not the last 4 digits"),
        ("1", TODAY, "not the last 4 digits"),
        ("", TODAY, "not the last 4 digits"),
        (LAST4, "2026-02-10", "is not today, 2026-02-11"),
        (LAST4, "", "is not today"),
    ],
)
def test_a_word_that_does_not_match_arms_nothing(
    local: LocalExchange, digits: str, day: str, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        arm("nse", digits, day, settings=_allowed())
    with pytest.raises(SettingsError, match="is not armed"):
        _live()


def test_an_armed_day_trades_over_the_wire_is_written_down_and_ends(
    local: LocalExchange, tmp_path: Path, drawn_home: Path
) -> None:
    with _armed() as desk:
        proposal = _propose(desk, tmp_path)
        desk.store.record_intents(prepare_entry(desk, proposal, 2))
        for _ in range(4):
            _cycle(desk, local)
        (position,) = desk.store.positions()
        assert [leg.net_lots for leg in position.legs] == [-2, 2]
        truth = {p.instrument.key: p.net for p in local.engine.positions() if p.net}
        assert truth == {SOLD.key: -130, BOUGHT.key: 130}
        request_exit(desk, position.position_id, percent=50, who="test")
        for _ in range(4):
            _cycle(desk, local)
        truth = {p.instrument.key: p.net for p in local.engine.positions() if p.net}
        assert truth == {SOLD.key: -65, BOUGHT.key: 65}
        (log,) = sorted((drawn_home / "sent" / "dhan-proven").iterdir())
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        placed = [line["order"] for line in lines if line["what"] == "place"]
        orders = local.engine.orders()
        assert sorted(placed) == sorted(order.correlation_id for order in orders)
        assert [line["what"] for line in lines].count("place") * 2 == len(lines)
        assert log.stat().st_mode & 0o077 == 0
        # the day ends: whoever still runs sends nothing more
        local.clock.at = ist("2026-02-12 09:20")
        local.market.show(SOLD, 119_50, 120_50)
        request_exit(desk, position.position_id, who="test")
        before = len(local.engine.orders())
        _cycle(desk, local)
        assert len(local.engine.orders()) == before
        notes = [i.note for i in desk.store.intents(states={IntentState.REFUSED})]
        assert any("was armed for 2026-02-11, and today is 2026-02-12" in note for note in notes)
    with pytest.raises(SettingsError, match="was armed for 2026-02-11"):
        _live()
    # armed again, what is left goes
    arm("nse", LAST4, "2026-02-12", settings=_allowed())
    with _live() as desk:
        for _ in range(6):
            local.step(61)
            _cycle(desk, local)
        assert desk.store.positions() == []
        assert [p for p in local.engine.positions() if p.net] == []


def test_disarmed_means_at_once(local: LocalExchange, tmp_path: Path) -> None:
    with _armed() as desk:
        proposal = _propose(desk, tmp_path)
        resting = desk.broker.submit(order("tag-1", BOUGHT, "BUY", 1, 60_00))
        assert disarm() == ["dhan-proven"]
        desk.store.record_intents(prepare_entry(desk, proposal, 1))
        _cycle(desk, local)
        assert [o.correlation_id for o in local.engine.orders()] == ["tag-1"]
        with pytest.raises(Rejected, match="dhan:proven is not armed"):
            desk.broker.cancel(resting.order_id)
    assert disarm() == []


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"account": "dhan:proven"}', '{"account": 1, "day": "soon"}']
)
def test_an_arming_that_cannot_be_read_is_none(
    local: LocalExchange, drawn_home: Path, content: str
) -> None:
    (drawn_home / "armed").mkdir()
    (drawn_home / "armed" / "dhan-proven.json").write_text(content)
    with pytest.raises(SettingsError, match="cannot be read"):
        _live()


def test_the_arming_of_another_account_is_none(local: LocalExchange, drawn_home: Path) -> None:
    (drawn_home / "armed").mkdir()
    body = {"account": "dhan:other", "day": TODAY}
    (drawn_home / "armed" / "dhan-proven.json").write_text(json.dumps(body))
    with pytest.raises(SettingsError, match="is for dhan:other, not for dhan:proven"):
        _live()


def order_of(intent: OrderIntent) -> Order:
    """An order as the broker took it."""
    return Order(
        f"D-{intent.correlation_id}", intent.correlation_id, intent.instrument.key, intent.side,
        intent.units, 0, intent.limit, OrderState.PENDING, "", intent.created_at,
    )  # fmt: skip


def _refused(message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        arm("nse", LAST4, TODAY, settings=_allowed())
    assert "nothing is armed" in str(refused.value)
    with pytest.raises(SettingsError, match="is not armed"):
        _live()


def test_limits_that_cannot_be_shared_arm_nothing(local: LocalExchange, drawn_home: Path) -> None:
    (drawn_home / "limits.db").write_bytes(b"broken" * 1000)
    _refused("cannot be counted together with other processes")


def test_before_the_morning_s_list_nothing_is_armed(local: LocalExchange) -> None:
    local.clock.at = ist("2026-02-11 07:00")
    _refused("the instrument list of 2026-02-11 is not out yet")


def test_a_list_that_cannot_be_fetched_arms_nothing(
    local: LocalExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIKELOOM_DHAN_INSTRUMENTS", f"{local.auth}/no-such-list.csv")
    _refused("the instrument list of 2026-02-11 is missing")


def test_a_clock_that_is_off_arms_nothing(
    local: LocalExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    from strikeloom.adapters.system_clock import SystemClock

    now = SystemClock.now
    monkeypatch.setattr(
        "strikeloom.desk.ready.SystemClock.now", lambda self: now(self).replace(year=2031)
    )
    _refused("clock is [0-9]+ s off the broker's, 3 s are allowed")


def test_a_broker_that_does_not_report_the_time_arms_nothing(
    local: LocalExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "strikeloom.desk.ready.parsedate_to_datetime",
        lambda _text: parsedate_to_datetime("Wed, 11 Feb 2026 04:30:00 -0000"),  # no zone
    )
    _refused(r"the broker's time is not known \(TypeError\)")


def test_a_position_that_is_not_on_record_arms_nothing(local: LocalExchange) -> None:
    from strikeloom.exchange.orders.request import Placement

    local.engine.place(Placement(BOUGHT, Side.BUY, 65, limit=70_50))
    local.step(1)
    _refused(f"positions differ: {BOUGHT.key}: 0 units here, 65 at the broker")


def test_an_account_that_cannot_be_read_arms_nothing(local: LocalExchange) -> None:
    local.fault("server-error", on="book")
    _refused("the account cannot be read")


def test_an_engaged_kill_switch_arms_nothing(local: LocalExchange) -> None:
    with _armed() as desk:
        kill(desk, "news", flatten=False, at=desk.clock.now())
    disarm()
    _refused("the kill switch is engaged: news")


def test_a_day_without_a_session_is_not_armed(local: LocalExchange) -> None:
    local.clock.at = ist("2026-02-15 10:00")  # a Sunday
    with pytest.raises(SettingsError, match="2026-02-15 is not a trading day"):
        arm("nse", LAST4, "2026-02-15", settings=_allowed())


@pytest.mark.parametrize(
    ("caps", "message"),
    [
        ({"max_entry_value": 9_000}, "live order value: .*limit ₹9,000"),
        ({"max_entry_value_per_day": 20_000}, "live value a day: .*limit ₹20,000"),
        ({"max_entry_orders": 1}, "live orders a day: 2 with this one, limit 1"),
    ],
)
def test_entries_stay_within_the_day_s_caps_whole_or_not_at_all(
    tmp_path: Path, caps: dict[str, float], message: str
) -> None:
    made = MadeDesk(tmp_path)
    desk = replace(made.desk, mode=Mode.LIVE, settings=_allowed(**caps))
    proposal = made.spread()
    intents = prepare_entry(desk, proposal, 2)  # 130 at 122.95 or so, and 130 at 71.95
    desk.store.record_intents(intents)
    refused = intents[0] if "max_entry_value" not in caps else max(intents, key=lambda i: i.limit)
    with pytest.raises(GuardError, match=message):
        check_now(desk, refused)
    with Lease(desk.home, desk.store) as lease:
        run_cycle(desk, lease, OrderRateLimiter(1e6), desk.clock)
    if "max_entry_value" not in caps:
        assert made.broker.orders() == []  # no leg of it was begun
    check_now(replace(desk, settings=_allowed()), intents[0])
    made.close()


def test_an_entry_that_was_given_up_counts_towards_the_day_s_caps(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path)
    desk = replace(made.desk, mode=Mode.LIVE, settings=_allowed())
    first = prepare_entry(desk, made.spread(), 2)
    desk.store.record_intents(first)
    for intent in first:  # sent, rested, given up: the broker had them
        name = intent.correlation_id
        desk.store.record_order(
            replace(order_of(intent), state=OrderState.CANCELLED, updated_at=desk.clock.now())
        )
        desk.store.move_intent(
            name, expected={IntentState.NEW}, to=IntentState.REFUSED, at=desk.clock.now()
        )
    legs = [Leg(BOUGHT, Side.BUY, 1, 70_00)]
    made.show(BOUGHT, 69_50, 70_50)
    (next_one,) = prepare_entry(desk, made.propose(legs, "one_leg"), 1)
    check_now(desk, next_one)
    with pytest.raises(GuardError, match="live orders a day: 3 with this one, limit 2"):
        check_now(replace(desk, settings=_allowed(max_entry_orders=2)), next_one)
    made.close()


def test_a_disarmed_call_that_waits_for_its_turn_does_not_leave(
    local: LocalExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _armed() as desk:
        take = RateLimiter.take

        def meanwhile(self: RateLimiter, kind: CallClass, **about: object) -> None:
            take(self, kind, **about)  # type: ignore[arg-type]
            disarm()

        monkeypatch.setattr(RateLimiter, "take", meanwhile)
        with pytest.raises(Rejected, match="dhan:proven is not armed"):
            desk.broker.submit(order("tag-1", BOUGHT, "BUY", 1, 60_00))
        assert local.engine.orders() == []


def test_exits_pass_the_caps(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path)
    position = made.enter(made.spread(), 2)
    tight = _allowed(max_entry_value=1, max_entry_value_per_day=1, max_entry_orders=1)
    desk = replace(made.desk, mode=Mode.LIVE, settings=tight)
    request_exit(desk, position.position_id, who="test")
    with Lease(desk.home, desk.store) as lease:
        run_cycle(desk, lease, OrderRateLimiter(1e6), desk.clock)
    assert desk.store.positions() == []
    assert {i.purpose for i in desk.store.intents()} == {Purpose.ENTRY, Purpose.EXIT}
    made.close()


def test_live_has_no_local_address(local: LocalExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="mode live reads the real market"):
        live_account(Mode.LIVE, "nse", wire())


def test_without_mode_live_no_arming_opens_the_way(local: LocalExchange) -> None:
    """An armed account that is looked at in mode alert gets no order past the client either."""
    _armed().close()
    with (
        open_desk("nse", mode="alert", settings=_allowed()) as desk,
        pytest.raises(Rejected, match="mode alert cancels no order"),
    ):
        desk.broker.cancel("100000000001")
