"""Press a button of the running page as a browser does: over HTTP and the kernel's socket.

Needs no browser, so that every installation can check itself. It opens the page with its
token, keeps the cookie, reads the id of its kernel, asks that kernel for its widgets and
clicks the button twice. Every request passes the page's own gate.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from strikeloom.errors import StageError
from strikeloom.views.monitor.page import DOUBLE_CLICK_SECONDS, PRESS_AGAIN

_KERNEL = re.compile(r'"kernelId":\s*"([0-9a-f-]+)"')
_CONTROL_PROTOCOL = "1.0.0"
_FOUND = 302

States = dict[str, dict[str, Any]]


def press_button(url: str, position_id: str, percent: int, *, timeout: float = 30.0) -> str:
    """Click an exit button and confirm it.

    Parameters
    ----------
    url : str
        Address of the page with its token.
    percent : int
        Which button.
    timeout : float
        Seconds for all of it.

    Returns
    -------
    str
        The line that the page then shows under the buttons.

    Raises
    ------
    StageError
        When the page, the position or the button is missing, or the click has no effect.
    """
    try:
        return asyncio.run(asyncio.wait_for(_press(url, position_id, percent), timeout))
    except TimeoutError:
        raise StageError(
            f"the page did not answer to {percent} % of {position_id} in {timeout:.0f} s"
        ) from None
    except (OSError, HTTPClientError) as error:
        raise StageError(f"the page cannot be reached: {error}") from None


async def _press(url: str, position_id: str, percent: int) -> str:
    cookie = await _enter(url)
    kernel = await _kernel(url, cookie)
    page = _Page(await _socket(url, cookie, kernel))
    try:
        await page.load()
        card = page.card(position_id)
        button = page.button(card, f"{percent} %")
        page.click(button)
        await page.until(lambda: page.status(card).startswith(PRESS_AGAIN))
        await asyncio.sleep(DOUBLE_CLICK_SECONDS * 1.2)
        page.click(button)
        await page.until(lambda: not page.status(card).startswith(PRESS_AGAIN))
        return page.status(card)
    finally:
        page.close()


async def _enter(url: str) -> str:
    """Show the token and take the cookie."""
    request = HTTPRequest(url, follow_redirects=False)
    answer = await AsyncHTTPClient().fetch(request, raise_error=False)
    if answer.code != _FOUND:
        raise StageError(f"the page answers {answer.code} to its token")
    return answer.headers["Set-Cookie"].partition(";")[0]


async def _kernel(url: str, cookie: str) -> str:
    parts = urlsplit(url)
    request = HTTPRequest(
        f"http://{parts.netloc}/", headers={"Cookie": cookie}, request_timeout=60.0
    )
    answer = await AsyncHTTPClient().fetch(request)
    found = _KERNEL.search(answer.body.decode())
    if found is None:
        raise StageError("the page names no kernel; its notebook failed to start")
    return found[1]


async def _socket(url: str, cookie: str, kernel: str) -> WebSocketClientConnection:
    parts = urlsplit(url)
    headers = {"Cookie": cookie, "Origin": f"http://{parts.netloc}"}
    address = f"ws://{parts.netloc}/api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"
    return await websocket_connect(HTTPRequest(address, headers=headers))


class _Page:
    """Widgets of a kernel, kept up to date from its messages."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket = socket
        self._session = uuid.uuid4().hex
        self._states: States = {}

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    async def load(self) -> None:
        """Ask for every widget's state."""
        control = uuid.uuid4().hex
        self._send(
            "comm_open",
            comm_id=control,
            target_name="jupyter.widget.control",
            data={},
            metadata={"version": _CONTROL_PROTOCOL},
        )
        self._send("comm_msg", comm_id=control, data={"method": "request_states"})
        await self.until(lambda: bool(self._states))

    def card(self, position_id: str) -> str:
        """Widget that holds everything of a position."""
        mark = f'data-position="{position_id}"'
        about = next(
            (name for name, state in self._states.items() if mark in str(state.get("value"))), None
        )
        holders = [name for name in self._states if about in self._children(name)]
        if not holders:
            raise StageError(f"the page shows no open position {position_id}")
        return holders[0]

    def button(self, card: str, description: str) -> str:
        """Button within a card.

        Raises
        ------
        StageError
            When it is missing or disabled.
        """
        for name in self._within(card):
            state = self._states[name]
            if state.get("description") == description:
                if state.get("disabled"):
                    raise StageError(f"{description} is disabled: {state.get('tooltip')}")
                return name
        raise StageError(f"the page has no button {description}")

    def status(self, card: str) -> str:
        """Line under the buttons, without markup."""
        lines = [str(self.value(name, "value")) for name in self._within(card)]
        line = next((text for text in lines if "sl status" in text), "")
        return " ".join(re.sub(r"<[^>]+>", " ", line).split())

    def value(self, name: str, field: str) -> Any:
        """Field of a widget's state."""
        return self._states[name].get(field)

    def click(self, name: str) -> None:
        """Send what a browser sends for a click."""
        self._send(
            "comm_msg", comm_id=name, data={"method": "custom", "content": {"event": "click"}}
        )

    async def until(self, seen: Callable[[], bool]) -> None:
        """Take in messages until something is seen."""
        while not seen():
            raw = await self._socket.read_message()
            if raw is None:
                raise StageError("the page closed the kernel's socket")
            self._take(json.loads(raw))

    def _take(self, message: dict[str, Any]) -> None:
        content = message.get("content", {})
        if message.get("header", {}).get("msg_type") not in ("comm_msg", "comm_open"):
            return
        data = content.get("data", {})
        if data.get("method") == "update_states":
            self._states |= {name: part["state"] for name, part in data["states"].items()}
        elif content.get("comm_id") in self._states:
            self._states[content["comm_id"]].update(data.get("state", {}))

    def _children(self, name: str) -> list[str]:
        given = self._states.get(name, {}).get("children") or []
        return [str(child).removeprefix("IPY_MODEL_") for child in given]

    def _within(self, name: str) -> list[str]:
        found = []
        for child in self._children(name):
            found += [child, *self._within(child)]
        return [child for child in found if child in self._states]

    def _send(self, kind: str, **content: Any) -> None:
        header = {
            "msg_id": uuid.uuid4().hex,
            "username": "probe",
            "session": self._session,
            "msg_type": kind,
            "version": "5.3",
        }
        message = {
            "header": header,
            "parent_header": {},
            "metadata": content.pop("metadata", {}),
            "content": content,
            "channel": "shell",
            "buffers": [],
        }
        self._socket.write_message(json.dumps(message))
