"""The page's widgets without a browser: arming, confirming, what is sent and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.positions import ExitDecision, ExitRequest, RequestState, Urgency
from strikeloom.errors import StoreError
from strikeloom.monitor import kill, load_board, request_exit
from strikeloom.monitor.watch import STOPPED, watch
from strikeloom.ports.store import Heartbeat
from strikeloom.settings.exit_registry import exit_rules
from strikeloom.views.monitor import text
from strikeloom.views.monitor.page import (
    CONFIRM_SECONDS,
    DOUBLE_CLICK_SECONDS,
    MonitorPage,
    PositionCard,
    blocked_shares,
)
from strikeloom.views.monitor.pulse import Pulse, pulse
from support.desk import MadeDesk
from support.fakes import ManualClock, ist, option

REAL = ManualClock(ist("2026-11-01 12:00"))
SOLD, BOUGHT = option(24_800, Right.PUT), option(24_600, Right.PUT)
ALIVE, SILENT = Pulse(True, "watching"), Pulse(False, "not running")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeDesk]:
    """Give a desk with one position of four lots, seen once by a watcher."""
    desk = MadeDesk(tmp_path)
    desk.enter(desk.spread(), 4)
    watch(desk.desk, REAL, once=True)
    yield desk
    desk.close()


class Timed:
    """A card with a stopwatch of its own."""

    def __init__(self, made: MadeDesk, alive: Pulse = ALIVE) -> None:
        self.made, self.alive, self.now = made, alive, 100.0
        (row,) = load_board(made.desk).rows
        self.card = PositionCard(made.desk, row, alive, lambda: self.now)

    def click(self, share: int, after: float = 0.0) -> None:
        self.now += after
        self.card.buttons[share].click()

    def refresh(self, after: float = 0.0) -> None:
        self.now += after
        (row,) = load_board(self.made.desk).rows
        self.card.update(row, self.alive)

    @property
    def status(self) -> str:
        return str(self.card._status.value)


def test_two_clicks_request_once_with_the_revision_that_was_shown(made: MadeDesk):
    timed = Timed(made)
    timed.click(50)
    assert timed.card.buttons[50].description == "Confirm 50 %"
    assert not made.store.requests()
    timed.click(50, after=1)
    (request,) = made.store.requests()
    assert (request.percent, request.target_lots, request.who) == (50, (-2, 2), "page")
    assert request.revision == made.store.positions()[0].revision
    assert "Asked for 50 %" in timed.status


def test_a_double_click_is_not_a_confirmation(made: MadeDesk):
    timed = Timed(made)
    timed.click(100)
    timed.click(100, after=DOUBLE_CLICK_SECONDS / 2)
    assert not made.store.requests()
    timed.click(100, after=DOUBLE_CLICK_SECONDS)
    assert len(made.store.requests()) == 1


def test_a_confirmation_expires(made: MadeDesk):
    timed = Timed(made)
    timed.click(100)
    timed.refresh(after=CONFIRM_SECONDS + 0.1)
    assert timed.card.buttons[100].description == "100 %"
    timed.click(100)
    assert not made.store.requests()


def test_a_late_confirmation_requests_nothing_even_before_the_refresh(made: MadeDesk):
    timed = Timed(made)
    timed.click(100)
    timed.click(100, after=CONFIRM_SECONDS + 0.1)
    assert not made.store.requests()
    assert "Too late" in timed.status


def test_another_button_starts_a_new_confirmation(made: MadeDesk):
    timed = Timed(made)
    timed.click(100)
    timed.click(50, after=1)
    assert not made.store.requests()
    assert timed.card.buttons[100].description == "100 %"
    timed.click(50, after=1)
    assert made.store.requests()[0].percent == 50


def test_a_confirmation_against_an_old_revision_is_refused(made: MadeDesk):
    timed = Timed(made)
    timed.click(50)
    request_exit(made.desk, made.store.positions()[0].position_id, percent=25, who="other")
    watch(made.desk, REAL, once=True)
    timed.refresh(after=1)
    timed.click(50, after=1)
    assert len(made.store.requests()) == 1
    assert "changed" in timed.status


def test_a_repeat_from_another_page_is_reported_as_a_repeat(made: MadeDesk):
    one, two = Timed(made), Timed(made)
    for timed in (one, two):
        timed.click(100)
        timed.click(100, after=1)
    assert len(made.store.requests()) == 1
    assert "Already asked" in two.status


def test_buttons_that_are_not_whole_lots_are_disabled_with_the_reason(tmp_path: Path):
    made = MadeDesk(tmp_path)
    made.enter(made.spread(), 1)
    timed = Timed(made)
    off = [share for share, button in timed.card.buttons.items() if button.disabled]
    assert off == [25, 50, 75]
    assert all("whole lots" in timed.card.buttons[share].tooltip for share in off)
    assert "25 %, 50 %, 75 %: not whole lots of 1" in timed.status
    made.close()


def test_a_pending_request_disables_the_buttons_and_names_a_missing_watcher(made: MadeDesk):
    timed = Timed(made, SILENT)
    timed.click(100)
    timed.click(100, after=1)
    timed.refresh()
    assert all(button.disabled for button in timed.card.buttons.values())
    assert "until the watcher runs" in timed.status


@pytest.mark.parametrize(
    ("exits", "line"),
    [
        ({25: "", 50: "", 75: "", 100: ""}, ""),
        ({25: "a", 50: "a", 75: "a", 100: "a"}, "a"),
        ({25: "a", 50: "", 75: "a", 100: ""}, "25 %, 75 %: a"),
        ({25: "a", 50: "", 75: "", 100: ""}, "25 %: a"),
        ({25: "a", 50: "a", 75: "b", 100: ""}, "25 %, 50 %: a; 75 %: b"),
    ],
)
def test_each_reason_is_named_once(exits, line):
    assert blocked_shares(exits) == line


def test_widgets_that_did_not_change_send_nothing(made: MadeDesk):
    page = MonitorPage(made.desk, REAL)
    (card,) = page.cards.values()
    sent: list[str] = []
    for widget in (card._about, card._rule, card._status, page._closed, page._alerts, page._rows):
        widget.observe(lambda change: sent.append(change["name"]))
    page.refresh()
    page.refresh()
    assert sent == []
    assert list(page.cards.values()) == [card]
    made.step()
    made.show(SOLD, 110_00, 111_00)
    watch(made.desk, REAL, once=True)
    page.refresh()
    assert "value" in sent


def test_a_closed_position_moves_to_the_list_below(made: MadeDesk):
    page = MonitorPage(made.desk, REAL)
    (position,) = made.store.positions()
    request_exit(made.desk, position.position_id, who="page")
    watch(made.desk, REAL, once=True)
    page.refresh()
    assert not page.cards
    assert position.position_id in page._closed.value
    assert "Asked by page" in page._closed.value
    assert "done" in page._closed.value
    assert "No open positions" in page._empty.value


def test_a_rule_that_closed_a_position_is_named(made: MadeDesk):
    made.step()
    made.show(SOLD, 10_00, 10_50)
    made.show(BOUGHT, 4_50, 5_00)
    watch(made.desk, REAL, once=True)
    (row,) = load_board(made.desk).closed
    assert row.ended.startswith("profit target")
    assert "Profit target" in text.closed_list(load_board(made.desk), ALIVE)


@pytest.mark.parametrize("name", exit_rules())
def test_every_rule_is_shown_by_its_name_in_the_colour_of_its_urgency(name):
    urgency = exit_rules()[name].urgency
    rule = name.replace("_", " ")
    html = text.rule(ExitDecision(rule, Urgency.HOLD, False, 0.4, (0,), "<far> away"))
    assert f"<b>{rule.capitalize()}</b>" in html
    assert f'class="bar {urgency.name.lower()}"' in html
    assert "width:40%" in html
    assert "&lt;far&gt; away" in html


def test_every_urgency_has_a_colour_and_a_rule_that_is_gone_the_plain_one():
    style = files("strikeloom.views.monitor").joinpath("style.css").read_text(encoding="utf-8")
    assert all(f".bar.{u.name.lower()} i" in style for u in Urgency if u is not Urgency.HOLD)
    gone = text.rule(ExitDecision("former rule", Urgency.HOLD, False, 0.4, (0,), "far"))
    assert "Former rule" in gone
    assert 'class="bar "' in gone


def test_an_error_is_shown_until_it_is_over(made: MadeDesk, monkeypatch):
    page = MonitorPage(made.desk, REAL)

    def fail(*_, **__):
        raise StoreError("the disk is <gone>")

    with monkeypatch.context() as patch:
        patch.setattr(made.store, "positions", fail)
        page.refresh()
    assert "the disk is &lt;gone&gt;" in page._header.value
    page.refresh()
    assert "data-failure" not in page._header.value


def test_the_tick_moves_with_every_refresh(made: MadeDesk):
    page = MonitorPage(made.desk, REAL)
    before = page._header.value
    page.refresh()
    assert page._header.value != before


def beat(age: float, note: str = "3 positions") -> Heartbeat:
    real = ist("2026-11-01 12:00")
    return Heartbeat(real, real.fromtimestamp(real.timestamp() - age, real.tzinfo), 1, note)


@pytest.mark.parametrize(
    ("heartbeat", "running", "words"),
    [
        (None, False, "never run"),
        (beat(3), True, "3 s ago"),
        (beat(29), True, "Watching"),
        (beat(31), False, "not running"),
        (beat(3600), False, "60 min ago"),
        (beat(3, STOPPED), False, "stopped"),
    ],
)
def test_the_pulse_is_judged_by_the_machines_time(made: MadeDesk, heartbeat, running, words):
    found = pulse(heartbeat, REAL.now(), made.desk.settings.monitor)
    assert found.running is running
    assert words in found.sentence


def test_missing_prices_are_named_and_no_total_is_made_up(made: MadeDesk):
    made.clock.wait(3600)  # every quote is an hour old now
    board = load_board(made.desk)
    assert board.open_pnl is None
    head = text.header(board, ALIVE, 1)
    assert "no price" in head
    assert "1 without a price" in head
    card = text.card(board.rows[0])
    old = "(older than 900 s)"
    assert f"No price for {SOLD.label} {old}, {BOUGHT.label} {old}" in card


def test_everything_a_person_wrote_is_escaped(made: MadeDesk):
    kill(made.desk, "<script>x</script>", flatten=True, at=made.clock.now())
    board = load_board(made.desk)
    assert "<script>" not in text.header(board, ALIVE, 1)
    request = ExitRequest(
        "R", "a", "m", "S", 1, (0,), 100, "w", made.clock.now(), RequestState.REFUSED, "<i>no</i>"
    )
    assert "<i>" not in text.request_line(request, ALIVE)
    assert "<i>" not in text.failure("<i>")
    row = replace(board.rows[0], request=request)
    assert "<i>" not in text.closed_list(replace(board, closed=[row]), ALIVE)
