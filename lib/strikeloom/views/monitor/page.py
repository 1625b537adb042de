"""The page's widgets: one card a position, exit buttons with a second click to confirm.

The page reads the store and the quote cache, and writes exit requests. It never trades, so
two tabs are two views of one engine.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial

import ipywidgets as widgets

from strikeloom.adapters.system_clock import SystemClock
from strikeloom.errors import StrikeloomError
from strikeloom.monitor.board import SHARES, BoardRow, load_board
from strikeloom.monitor.request import request_exit
from strikeloom.ports.desk import Desk
from strikeloom.views.monitor.style import STYLE
from strikeloom.views.monitor.text import alerts_list, card, closed_list, header

CONFIRM_SECONDS = 6.0


class PositionCard:
    """Widgets of one position."""

    def __init__(self, desk: Desk, row: BoardRow) -> None:
        self._desk = desk
        self._row = row
        self._armed: tuple[int, float] | None = None
        self._said = ""
        self._html = widgets.HTML()
        self.buttons = {
            share: widgets.Button(layout=widgets.Layout(width="118px")) for share in SHARES
        }
        for share, button in self.buttons.items():
            button.on_click(partial(self._click, share))
        self._status = widgets.HTML()
        bar = widgets.HBox(
            [*self.buttons.values(), self._status], layout=widgets.Layout(flex_flow="row wrap")
        )
        self.box = widgets.VBox([self._html, bar]).add_class("sl-card")
        self.update(row)

    def update(self, row: BoardRow) -> None:
        """Show a newer picture; widgets that did not change are left alone."""
        self._row = row
        self._html.value = card(row)
        if self._armed and time.monotonic() > self._armed[1]:
            self._armed, self._said = None, ""
        armed = self._armed[0] if self._armed else None
        for share, button in self.buttons.items():
            reason = row.exits[share]
            button.description = f"Confirm {share} %" if share == armed else f"Exit {share} %"
            button.button_style = "danger" if share == armed else ""
            button.disabled = bool(reason)
            button.tooltip = reason or f"Leave {share} % of the quantity first filled"
        self._status.value = f'<span class="sl quiet">&nbsp;{self._said}</span>'

    def _click(self, share: int, _button: widgets.Button) -> None:
        if self._armed is None or self._armed[0] != share:
            self._armed = (share, time.monotonic() + CONFIRM_SECONDS)
            self._said = "press again to confirm"
            self.update(self._row)
            return
        self._armed = None
        position = self._row.marked.position
        try:
            request, created = request_exit(
                self._desk,
                position.position_id,
                who="page",
                percent=share,
                revision=position.revision,
            )
            self._said = "asked" if created else f"already asked ({request.state.value})"
        except StrikeloomError as error:
            self._said = str(error)
        self.update(self._row)


class MonitorPage:
    """The whole page of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._real = SystemClock()
        self.cards: dict[str, PositionCard] = {}
        self._header = widgets.HTML()
        self._rows = widgets.VBox()
        self._closed = widgets.HTML()
        self._alerts = widgets.HTML()
        self.box = widgets.VBox(
            [
                widgets.HTML(STYLE),
                widgets.VBox([self._header]).add_class("sl-card"),
                self._rows,
                widgets.VBox([self._closed]).add_class("sl-card"),
                self._alerts,
            ]
        ).add_class("sl-page")
        self.refresh()

    def refresh(self) -> None:
        """Read the board and show what changed."""
        board = load_board(self._desk)
        late = self._desk.settings.monitor.heartbeat_late_seconds
        self._header.value = header(board, self._real.now(), late)
        shown = list(self.cards)
        for row in board.rows:
            name = row.marked.position.position_id
            if name in self.cards:
                self.cards[name].update(row)
            else:
                self.cards[name] = PositionCard(self._desk, row)
        open_ = {row.marked.position.position_id for row in board.rows}
        self.cards = {name: c for name, c in self.cards.items() if name in open_}
        if list(self.cards) != shown:
            self._rows.children = [c.box for c in self.cards.values()]
        self._closed.value = closed_list(board)
        self._alerts.value = alerts_list(board)

    async def keep_fresh(self) -> None:
        """Refresh for as long as the kernel lives; a failure is shown on the page."""
        while True:
            await asyncio.sleep(self._desk.settings.monitor.page_refresh_seconds)
            try:
                self.refresh()
            except StrikeloomError as error:
                self._header.value = f'<div class="sl"><span class="tag bad">{error}</span></div>'


_TASKS: set[asyncio.Task[None]] = set()


def show_monitor(desk: Desk) -> widgets.VBox:
    """Page of a desk, kept fresh by the kernel's own loop."""
    page = MonitorPage(desk)
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return page.box  # no kernel: a picture of now
    task = loop.create_task(page.keep_fresh())
    _TASKS.add(task)
    return page.box
