"""The page's gate: which requests pass it, and what is served to whom."""

from __future__ import annotations

import asyncio
import math
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

from strikeloom.domain.positions import RequestState
from strikeloom.errors import SettingsError, StageError
from strikeloom.views.monitor.probe import press_button
from strikeloom.views.monitor.serve import read_address, serve
from support import page_server
from support.page_server import NOTEBOOK, Served, desk_with_position, one_cycle, served

REFUSED = 403


@pytest.fixture(scope="module")
def place(tmp_path_factory, synthetic_history) -> Iterator[tuple[Served, object, Path]]:
    """One page for the whole file."""
    home = tmp_path_factory.mktemp("page") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIKELOOM_HOME", str(home))
        desk, _ = desk_with_position(home, Path(synthetic_history.folder))
        with served(home, desk.market) as running:
            yield running, desk, home


@pytest.fixture(scope="module")
def cookie(place) -> str:
    answer = fetch(place[0].url)
    assert answer.code == 302
    assert answer.headers["Location"] == "/"
    return answer.headers["Set-Cookie"].partition(";")[0]


@pytest.fixture(scope="module")
def kernel(place, cookie) -> str:
    """Kernel of a page that was opened with the cookie."""
    answer = fetch(place[0].bare, Cookie=cookie)
    assert answer.code == 200
    found = re.search(r'"kernelId":\s*"([0-9a-f-]+)"', answer.body.decode())
    assert found
    return found[1]


def fetch(url: str, method: str = "GET", **headers: str) -> HTTPResponse:
    """Ask, with headers written as keywords (``Sec_Fetch_Site``)."""

    async def ask() -> HTTPResponse:
        request = HTTPRequest(
            url, method, {name.replace("_", "-"): value for name, value in headers.items()},
            follow_redirects=False, request_timeout=60, body="" if method == "POST" else None,
        )  # fmt: skip
        return await AsyncHTTPClient(force_instance=True).fetch(request, raise_error=False)

    return asyncio.run(ask())


def socket_code(url: str, **headers: str) -> int:
    """Answer to a handshake with the kernel's socket: 101 when it opens."""

    async def ask() -> int:
        try:
            socket = await websocket_connect(HTTPRequest(url, headers=dict(headers)))
        except HTTPClientError as error:
            return int(error.code)
        socket.close()
        return 101

    return asyncio.run(ask())


def paths(kernel: str) -> list[str]:
    """Every kind of path that a server of notebooks may answer."""
    return [
        "", "voila/static/voila.js", "voila/templates/lab/static/index.css",
        f"api/kernels/{kernel}", f"api/kernels/{kernel}/channels", "voila/files/monitor.ipynb",
        f"voila/api/shutdown/{kernel}", "login", "voila/labextensions/x", "nothing/here",
    ]  # fmt: skip


def test_without_the_token_nothing_answers(place, kernel):
    for path in paths(kernel):
        answer = fetch(place[0].bare + path)
        assert answer.code == REFUSED, path
        assert b"strikeloom monitor" in answer.body


def test_a_wrong_token_or_cookie_is_as_good_as_none(place, cookie):
    name = cookie.partition("=")[0]
    token = place[0].url.partition("token=")[2]
    for answer in (
        fetch(place[0].bare + "?token=wrong"),
        fetch(place[0].bare + "?token=" + token[:-1]),
        fetch(place[0].bare, Cookie=f"{name}={token}"),
        fetch(place[0].bare, Cookie=f"{name}=; {name}2={'0' * 64}"),
        fetch(place[0].bare, Authorization="token wrong"),
    ):
        assert answer.code == REFUSED


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "127.0.0.1", "[::1]:{port}", ""]
)
def test_a_foreign_host_is_refused_even_with_the_cookie(place, cookie, kernel, host):
    named = host.format(port=place[0].port)
    for path in paths(kernel):
        assert fetch(place[0].bare + path, Cookie=cookie, Host=named).code in (REFUSED, 400)
    address = f"{place[0].bare.replace('http', 'ws')}api/kernels/{kernel}/channels"
    assert socket_code(address, Cookie=cookie, Host=named) in (REFUSED, 400)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1:1", "null",
     "http://localhost:{port}", "http://127.0.0.1:{port}.evil.example"],
)  # fmt: skip
def test_a_foreign_origin_is_refused_even_with_the_cookie(place, cookie, kernel, origin):
    named = origin.format(port=place[0].port)
    for path in paths(kernel):
        assert fetch(place[0].bare + path, Cookie=cookie, Origin=named).code == REFUSED
    address = f"{place[0].bare.replace('http', 'ws')}api/kernels/{kernel}/channels"
    assert socket_code(address, Cookie=cookie, Origin=named) == REFUSED


def test_another_site_cannot_even_link_in(place, cookie):
    for site in ("cross-site", "same-site"):
        assert fetch(place[0].bare, Cookie=cookie, Sec_Fetch_Site=site).code == REFUSED


def test_the_socket_opens_for_the_page_alone(place, cookie, kernel):
    address = f"{place[0].bare.replace('http', 'ws')}api/kernels/{kernel}/channels"
    own = place[0].bare.rstrip("/")
    assert socket_code(address, Origin=own) == REFUSED
    assert socket_code(address, Cookie=cookie, Origin=own) == 101


def test_only_the_page_is_served(place, cookie):
    for path in ("voila/files/monitor.ipynb", "monitor.ipynb", "voila/tree", "api/contents",
                 "api/kernels", "voila/files/../monitor.url", "terminals/1"):  # fmt: skip
        answer = fetch(place[0].bare + path, Cookie=cookie)
        body = answer.body or b""
        assert answer.code in (302, 400, 403, 404, 405), path
        assert b"open_desk" not in body
    page = fetch(place[0].bare, Cookie=cookie)
    assert b"open_desk" not in page.body
    assert b"Traceback" not in page.body


def test_the_cookie_stays_here_and_out_of_reach_of_scripts(place):
    answer = fetch(place[0].url)
    flags = answer.headers["Set-Cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags
    token = place[0].url.partition("token=")[2]
    assert token not in str(answer.headers)
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_pages_cannot_be_framed_or_reach_out(place, cookie):
    policy = fetch(place[0].bare, Cookie=cookie).headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'self'" in policy


def test_the_address_is_its_owners_alone(place):
    file = place[2] / "monitor.url"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    command = Path(f"/proc/{place[0].process.pid}/cmdline")
    if command.exists():
        token = place[0].url.partition("token=")[2]
        assert token.encode() not in command.read_bytes()
        assert token.encode() not in Path(f"/proc/{place[0].process.pid}/environ").read_bytes()
    assert read_address(place[2]) == place[0].url


def test_listens_on_loopback_alone(place):
    other = f"http://{_other_address()}:{place[0].port}/"
    with pytest.raises(ConnectionRefusedError):
        fetch(other)


def _other_address() -> str:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no other address")
        found = probe.getsockname()[0]
    if found.startswith("127."):
        pytest.skip("this machine has no other address")
    return found


def test_the_probe_presses_like_a_browser(place):
    running, desk, _ = place
    (position,) = desk.store.positions()
    line = press_button(running.url, position.position_id, 50)
    assert "50 %" in line
    (request,) = desk.store.requests()
    assert request.target_lots == (-2, 2)
    one_cycle(desk)
    assert desk.store.requests()[0].state is RequestState.DONE
    with pytest.raises(StageError, match="disabled"):
        press_button(running.url, position.position_id, 75)
    with pytest.raises(StageError, match="no open position"):
        press_button(running.url, "S-unknown", 100)
    with pytest.raises(StageError, match="403"):
        press_button(running.bare + "?token=wrong", position.position_id, 100)


def test_a_taken_port_is_an_error_with_the_remedy(place, home):
    with pytest.raises(SettingsError, match="--port"):
        serve(NOTEBOOK, home, port=place[0].port)
    assert not (home / "monitor.url").exists()


def test_no_running_page_is_an_error_with_the_remedy(home):
    with pytest.raises(SettingsError, match="strikeloom monitor"):
        read_address(home)


def test_the_end_leaves_no_address_and_no_kernel(home, synthetic_history):
    desk, _ = desk_with_position(home, Path(synthetic_history.folder))
    with served(home, desk.market) as running:
        came_in = fetch(running.url).headers["Set-Cookie"].partition(";")[0]
        assert fetch(running.bare, Cookie=came_in).code == 200
        kernels = _children(running.process.pid)
        assert kernels
    assert not (home / "monitor.url").exists()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in kernels) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in kernels)


@pytest.mark.parametrize("private", [True, False])
def test_a_long_name_of_the_temporary_folder_is_no_obstacle(
    home, synthetic_history, tmp_path, monkeypatch, private
):
    """Systems limit the length of socket names; without a short folder kernels use ports."""
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))
    if not private:
        no_room = "import strikeloom.desk.socket_names as s; s.LONGEST = 1\nserve("
        monkeypatch.setattr(page_server, "_SERVE", page_server._SERVE.replace("serve(", no_room, 1))
    desk, _ = desk_with_position(home, Path(synthetic_history.folder))
    with served(home, desk.market) as running:
        cookie = fetch(running.url).headers["Set-Cookie"].partition(";")[0]
        page = fetch(running.bare, Cookie=cookie)
        assert page.code == 200
        assert b"kernelId" in page.body


async def _tab(running: Served, cookie: str) -> WebSocketClientConnection:
    """Open the page and connect to its kernel, as a browser's tab does."""
    request = HTTPRequest(running.bare, headers={"Cookie": cookie}, request_timeout=60)
    body = (await AsyncHTTPClient().fetch(request)).body.decode()
    found = re.search(r'"kernelId":\s*"([0-9a-f-]+)"', body)
    assert found
    address = running.bare.replace("http", "ws") + f"api/kernels/{found[1]}/channels"
    headers = {"Cookie": cookie, "Origin": running.bare.rstrip("/")}
    return await websocket_connect(HTTPRequest(address, headers=headers))


def test_a_kernel_whose_tab_vanished_ends_and_one_with_a_tab_stays(
    place, cookie, home, synthetic_history
):
    desk, _ = desk_with_position(home, Path(synthetic_history.folder))
    began = time.monotonic()
    assert fetch(place[0].bare, Cookie=cookie).code == 200
    limit = max(4, math.ceil(3 * (time.monotonic() - began)))  # a tab connects well within it

    async def come_and_vanish(running: Served, own: str) -> None:
        """Two tabs; one vanishes without closing, the other stays for twice the limit."""
        sockets = [await _tab(running, own), await _tab(running, own)]
        assert len(_children(running.process.pid)) == 2
        sockets[0].close()
        until = time.monotonic() + 4 * limit
        while time.monotonic() < until and len(_children(running.process.pid)) == 2:
            await asyncio.sleep(0.5)
        await asyncio.sleep(limit + 1)
        assert len(_children(running.process.pid)) == 1
        sockets[1].close()

    with served(home, desk.market, idle_seconds=limit) as running:
        own = fetch(running.url).headers["Set-Cookie"].partition(";")[0]
        asyncio.run(come_and_vanish(running, own))


def test_a_page_that_loads_longer_than_a_kernel_without_a_tab_lives_gets_its_tab(
    home, synthetic_history, tmp_path
):
    """Three cells of three seconds, where a kernel without a tab ends after four."""
    cells = [new_code_cell("import time\nmarket = ''", metadata={"tags": ["parameters"]})]
    cells += [new_code_cell("time.sleep(3)") for _ in range(3)]
    slow = tmp_path / "slow.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = new_notebook(cells=[*cells, new_code_cell("1")], metadata={"kernelspec": kernel})
    nbformat.write(made, slow)
    desk, _ = desk_with_position(home, Path(synthetic_history.folder))
    with served(home, desk.market, idle_seconds=4, notebook=slow) as running:
        own = fetch(running.url).headers["Set-Cookie"].partition(";")[0]

        async def stays() -> None:
            tab = await _tab(running, own)
            assert len(_children(running.process.pid)) == 1
            tab.close()

        asyncio.run(stays())


def _children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid:
                found.append(int(entry.name))
    return found


if not os.path.isdir("/proc"):
    test_the_end_leaves_no_address_and_no_kernel = pytest.mark.skip("needs /proc")(
        test_the_end_leaves_no_address_and_no_kernel
    )
