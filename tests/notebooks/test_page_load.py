"""Opening a page trades nothing: real servers of Voila and JupyterLab, every notebook."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from tornado.httpclient import HTTPRequest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

from strikeloom.desk import open_desk, to_next_session
from strikeloom.domain.results import Stage
from strikeloom.errors import SettingsError
from strikeloom.ports.desk import Desk
from strikeloom.runner.kernel import ensure_kernel
from strikeloom.trading.page_load import PAGE_SERVER, on_page_load, refuse_page_load
from support.notebook_runs import NOTEBOOKS
from support.page_server import enter

_SENTENCE = "is not available on this page"
_TRADING = (Stage.EXECUTION.notebook, Stage.MONITOR.notebook)
_START_SECONDS, _PAGE_SECONDS = 60.0, 180.0
_STARTS = 3

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("notebooks")]


@pytest.fixture
def desk(planned_home: Path) -> Iterator[Desk]:
    """Desk whose plan is marked and that holds a position: a run would trade, a page would exit."""
    assert planned_home.is_dir()
    opened = open_desk("synthetic")
    to_next_session(opened)
    enter(opened, 4)
    assert opened.store.marks(opened.day)
    yield opened
    opened.close()


def _record(desk: Desk) -> dict[str, Any]:
    """Everything that trading, marking or an exit button would change."""
    return {
        "intents": desk.store.intents(),
        "broker": desk.broker.orders(),
        "marks": desk.store.marks(desk.day),
        "requests": desk.store.requests(),
    }


@contextmanager
def _server(command: list[str], folder: Path) -> Iterator[str]:
    """Serve a copy of the notebooks; yields the address. Ended by its own process id."""
    ensure_kernel()
    served = folder / "notebooks"
    served.mkdir()
    for path in NOTEBOOKS:
        shutil.copy(path, served)
    process, address = _started(command, served, folder / "server.log")
    try:
        yield address
    finally:
        _end(process)


def _started(command: list[str], served: Path, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server that chooses its port itself, and learn its address.

    JupyterLab lets go of the port that it found before it listens there, and ends when another
    process has taken it: then it is started again.
    """
    for _ in range(_STARTS):
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *command, "--KernelManager.transport=ipc"],
                stdout=output, stderr=output, cwd=served, env=dict(os.environ),
            )  # fmt: skip
        address = _listening(process, log)
        if address:
            return process, address
        _end(process)
    raise AssertionError(log.read_text("utf-8"))


def _listening(process: subprocess.Popen[bytes], log: Path) -> str:
    """Address at which this very server answers; empty when it has ended or is too slow.

    The server logs its address; whatever answers there is the server only if the server also logs
    the question: a path that exists nowhere.
    """
    question = f"/voila/nowhere-{secrets.token_hex(8)}"
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        for port in re.findall(r"http://(?:localhost|127\.0\.0\.1):(\d+)/", log.read_text("utf-8")):
            with suppress(httpx.HTTPError):
                httpx.get(f"http://127.0.0.1:{port}{question}", timeout=5)
            if question in log.read_text("utf-8"):
                return f"http://127.0.0.1:{port}"
        time.sleep(0.2)
    return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def _page(address: str, notebook: str) -> str:
    answer = httpx.get(f"{address}/voila/render/{notebook}", timeout=_PAGE_SECONDS)
    assert answer.status_code == 200
    return answer.text


def _kernel(page: str) -> str:
    found = re.search(r'kernelId"?:\s*"([0-9a-f-]{36})"', page)
    assert found, page[-3000:]
    return found[1]


def _talk(address: str, path: str, message: dict[str, Any], last: str) -> str:
    """Send one message over a page's socket; everything received up to the text ``last``."""

    async def talk() -> str:
        url = address.replace("http", "ws") + path
        opened = await websocket_connect(HTTPRequest(url, headers={"Origin": address}))
        await opened.write_message(json.dumps(message))
        received = ""
        while last not in received:
            part = await opened.read_message()
            assert part is not None, received
            received += part if isinstance(part, str) else part.decode(errors="replace")
        opened.close()
        return received

    return IOLoop().run_sync(talk, timeout=_PAGE_SECONDS)


def _listen(address: str, kernel: str) -> None:
    """Open the kernel's own socket, as the tab of a browser does."""
    header = {"msg_id": "1", "msg_type": "kernel_info_request", "username": "", "session": "1"}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": {}}
    _talk(address, f"/api/kernels/{kernel}/channels", {**message, "channel": "shell"}, "idle")


_OWN = """from strikeloom import execution
from strikeloom.desk import mark, open_desk
from strikeloom.errors import SettingsError
from strikeloom.monitor import request_exit
from strikeloom.trading.lease import Lease
desk = open_desk("synthetic")"""
_VOILA = ["voila", ".", "--no-browser"]
_LAB = [
    "jupyter", "lab", "--no-browser", "--allow-root", "--ServerApp.root_dir=.",
    "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True",
]  # fmt: skip


@pytest.mark.parametrize("command", [_VOILA, _LAB], ids=["voila", "lab"])
def test_a_page_of_another_server_trades_and_marks_nothing(
    desk: Desk, tmp_path: Path, command: list[str]
) -> None:
    before = _record(desk)
    with _server(command, tmp_path) as address:
        for notebook in [path.name for path in NOTEBOOKS]:
            page = _page(address, notebook)
            assert (_SENTENCE in page) is (notebook in _TRADING), page[-3000:]
            if notebook in _TRADING:
                assert page.count(_SENTENCE) == 1
                assert "There was an error" not in page
                assert "sl-card" not in page
                _listen(address, _kernel(page))
    assert _record(desk) == before


def test_cells_that_run_over_the_socket_trade_nothing(desk: Desk, tmp_path: Path) -> None:
    before = _record(desk)
    with _server([*_VOILA, "--progressive_rendering=True"], tmp_path) as address:
        for notebook in _TRADING:
            kernel = _kernel(_page(address, notebook))
            count = len(json.loads((tmp_path / "notebooks" / notebook).read_text())["cells"])
            answer = _talk(
                address,
                f"/voila/execution/{kernel}",
                {"action": "execute", "payload": {"kernel_id": kernel}},
                f'"cell_index": {count - 1},',
            )
            assert answer.count(_SENTENCE) == 1
            assert "ExecutionError" not in answer
    assert _record(desk) == before


def test_a_notebook_of_ones_own_trades_and_marks_nothing(desk: Desk, tmp_path: Path) -> None:
    """One that does not ask how it is run: the library refuses each step by itself."""
    desk.store.unmark([mark.strategy_id for mark in desk.store.marks(desk.day)])
    (position,) = desk.store.positions()
    steps = {
        "marking": "mark(desk)",
        "placing": "execution.place(desk, None)",
        "the send lock": "Lease(desk.home, desk.store).__enter__()",
        "an exit": f"request_exit(desk, {position.position_id!r}, who='page')",
    }
    cells = [new_code_cell(_OWN)]
    for name, code in steps.items():
        text = f"try:\n    {code}\nexcept SettingsError as error:\n    print({name!r}, error)"
        cells.append(new_code_cell(text))
    before = _record(desk)
    with _server(_VOILA, tmp_path) as address:
        nbformat.write(new_notebook(cells=cells), tmp_path / "notebooks" / "own.ipynb")
        page = _page(address, "own.ipynb")
    assert _record(desk) == before
    for name in steps:
        assert re.search(f"{name} .{{1,30}} {_SENTENCE}", page), page[-3000:]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"VOILA_KERNEL_ID": "1"}, True),
        ({"SERVER_SOFTWARE": "voila/0.5.8"}, True),
        ({"SERVER_SOFTWARE": "gunicorn/1"}, False),
        ({"VOILA_KERNEL_ID": "1", PAGE_SERVER: str(os.getppid())}, False),
        ({"VOILA_KERNEL_ID": "1", PAGE_SERVER: "1234567"}, True),  # left in somebody's shell
    ],
)
def test_only_the_parents_own_page_server_counts(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: bool
) -> None:
    for name in ("VOILA_KERNEL_ID", "SERVER_SOFTWARE", PAGE_SERVER):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert on_page_load() is expected


def test_the_library_refuses_too(drawn_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn_home.is_dir()
    monkeypatch.setenv("VOILA_KERNEL_ID", "1")
    with pytest.raises(SettingsError, match=_SENTENCE):
        refuse_page_load("Execution")
    with pytest.raises(SettingsError, match=_SENTENCE):
        open_desk("synthetic", stage=Stage.EXECUTION)
