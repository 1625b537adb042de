"""The page's widgets: one card a position, exit buttons with a second click to confirm.

The page reads the store and the quote cache, and writes exit requests. It never trades, so
two tabs are two views of one engine.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import cache, partial
from html import escape
from importlib.resources import files

import ipywidgets as widgets

from strikeloom.adapters.system_clock import SystemClock
from strikeloom.errors import StrikeloomError
from strikeloom.monitor.board import SHARES, BoardRow, load_board
from strikeloom.monitor.request import request_exit
from strikeloom.ports.clock import Clock
from strikeloom.ports.desk import Desk
from strikeloom.trading.page_load import refuse_page_load
from strikeloom.views.monitor import text
from strikeloom.views.monitor.pulse import Pulse, pulse

CONFIRM_SECONDS = 6.0
#: A second click sooner than this is the tail of a double click, not a confirmation.
DOUBLE_CLICK_SECONDS = 0.5
PRESS_AGAIN = "Press again"

_LOG = logging.getLogger("strikeloom.page")

Seconds = Callable[[], float]


class PositionCard:
    """Widgets of one position."""

    def __init__(
        self, desk: Desk, row: BoardRow, alive: Pulse, seconds: Seconds = time.monotonic
    ) -> None:
        self._desk = desk
        self._row = row
        self._alive = alive
        self._seconds = seconds
        self._armed: tuple[int, float, int] | None = None  # share, since, revision seen
        self._answer = ""
        self._about = widgets.HTML()
        self._rule = widgets.HTML()
        self._status = widgets.HTML()
        self.buttons = {share: widgets.Button() for share in SHARES}
        for share, button in self.buttons.items():
            button.on_click(partial(self._click, share))
        choices = widgets.Box(list(self.buttons.values())).add_class("sl-buttons")
        exits = widgets.VBox([self._rule, choices, self._status]).add_class("sl-exits")
        self.box = widgets.Box([self._about, exits]).add_class("sl-card")
        self.update(row, alive)

    def update(self, row: BoardRow, alive: Pulse) -> None:
        """Show a newer board. A widget whose content is the same sends nothing."""
        self._alive = alive
        if row.request != self._row.request:
            self._answer = ""  # the request's own state replaces it
        self._row = row
        if self._armed and self._seconds() - self._armed[1] > CONFIRM_SECONDS:
            self._armed = None
        self._about.value = text.card(row)
        self._rule.value = text.rule(row.nearest)
        armed = self._armed[0] if self._armed else None
        for share, button in self.buttons.items():
            self._show(button, share, armed)
        self._status.value = text.status(self._line(armed))

    def _show(self, button: widgets.Button, share: int, armed: int | None) -> None:
        reason = self._row.exits[share]
        button.description = f"Confirm {share} %" if share == armed else f"{share} %"
        button.disabled = bool(reason)
        button.tooltip = reason or f"Exit {share} % of the quantity first filled"
        if share == armed:
            button.add_class("sl-armed")
        else:
            button.remove_class("sl-armed")

    def _line(self, armed: int | None) -> str:
        """HTML of the line under the buttons: the most urgent of what there is to show."""
        if armed is not None:
            return f"{PRESS_AGAIN} within {CONFIRM_SECONDS:.0f} s to exit {armed} %."
        if self._answer:
            return escape(self._answer)
        if self._row.request is not None:
            return text.request_line(self._row.request, self._alive)
        return f'<span class="quiet">{escape(blocked_shares(self._row.exits))}</span>'

    def _click(self, share: int, _button: widgets.Button) -> None:
        now = self._seconds()
        if self._armed is None or self._armed[0] != share:
            self._armed = (share, now, self._row.marked.position.revision)
            self._answer = ""
        elif now - self._armed[1] >= DOUBLE_CLICK_SECONDS:
            late = now - self._armed[1] > CONFIRM_SECONDS
            revision = self._armed[2]
            self._armed = None
            self._answer = "Too late, press again." if late else self._request(share, revision)
        self.update(self._row, self._alive)

    def _request(self, share: int, revision: int) -> str:
        """Write the request against the revision that was on the screen at the first click."""
        name = self._row.marked.position.position_id
        try:
            request, created = request_exit(
                self._desk, name, who="page", percent=share, revision=revision
            )
        except StrikeloomError as error:
            return str(error)
        if not created:
            return f"Already asked: {request.state.value}. {request.note}".strip()
        return f"Asked for {share} %."


def blocked_shares(exits: dict[int, str]) -> str:
    """Reasons for which shares cannot be exited, each named once."""
    by_reason: dict[str, list[str]] = {}
    for share, reason in exits.items():
        if reason:
            by_reason.setdefault(reason, []).append(f"{share} %")
    return "; ".join(
        reason if len(shares) == len(exits) else f"{', '.join(shares)}: {reason}"
        for reason, shares in by_reason.items()
    )


class MonitorPage:
    """The page of a desk."""

    def __init__(self, desk: Desk, real: Clock | None = None) -> None:
        self._desk = desk
        self._real = real or SystemClock()
        self._tick = 0
        self.cards: dict[str, PositionCard] = {}
        self._header = widgets.HTML()
        self._rows = widgets.VBox()
        self._empty = widgets.HTML()
        self._closed = widgets.HTML()
        self._alerts = widgets.HTML()
        style = widgets.HTML(f"<style>{_style()}</style>")
        parts = [style, self._header, self._rows, self._empty, self._closed, self._alerts]
        self.box = widgets.VBox(parts).add_class("sl-page")
        self.refresh()

    def refresh(self) -> None:
        """Read the board and show what changed; an error is shown in place of the header."""
        try:
            board = load_board(self._desk)
        except StrikeloomError as error:
            self._header.value = text.failure(str(error))
            return
        alive = pulse(board.heartbeat, self._real.now(), self._desk.settings.monitor)
        self._tick += 1
        self._header.value = text.header(board, alive, self._tick)
        shown = list(self.cards)
        found: dict[str, PositionCard] = {}
        for row in board.rows:
            name = row.marked.position.position_id
            known = self.cards.get(name)
            if known is None:
                known = PositionCard(self._desk, row, alive)
            else:
                known.update(row, alive)
            found[name] = known
        self.cards = found
        if list(found) != shown:
            self._rows.children = [card.box for card in found.values()]
        self._empty.value = "" if found else text.empty(board.at)
        self._closed.value = text.closed_list(board, alive)
        self._alerts.value = text.alerts_list(board)

    async def keep_fresh(self) -> None:
        """Refresh for as long as the kernel lives; an error is shown, and the next try follows."""
        while True:
            await asyncio.sleep(self._desk.settings.monitor.page_refresh_seconds)
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001  the page is an edge: it reports
                _LOG.exception("the page could not be refreshed")
                self._header.value = text.failure(f"the page could not be refreshed: {error}")


@cache
def _style() -> str:
    return files("strikeloom.views.monitor").joinpath("style.css").read_text(encoding="utf-8")


_TASKS: set[asyncio.Task[None]] = set()


def show_monitor(desk: Desk) -> widgets.VBox:
    """Page of a desk, kept fresh by the kernel's own loop.

    Raises
    ------
    SettingsError
        On a page that is not that of ``strikeloom monitor``: it would serve exit buttons to
        anyone who can reach it.
    """
    refuse_page_load("The monitor")
    page = MonitorPage(desk)
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return page.box  # no kernel: shown once, not refreshed
    task = loop.create_task(page.keep_fresh())
    _TASKS.add(task)  # the loop itself keeps no strong reference
    return page.box
