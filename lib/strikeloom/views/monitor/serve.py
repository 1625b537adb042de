"""Serve notebook 05, and nothing else, with Voila on loopback behind the gate."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError
from traitlets.config import Config
from voila.app import Voila

from strikeloom.desk.socket_names import fits, short_folder
from strikeloom.errors import SettingsError
from strikeloom.trading.page_load import PAGE_SERVER
from strikeloom.views.monitor.gate import SECURITY_HEADERS, Gate

HOST = "127.0.0.1"
_IDLE_SECONDS = 120
#: Length of a kernel's socket file below the folder for temporary files:
#: ``/strikeloom-page-xxxxxxxx/kernel-<36 characters>-ipc-5``.
_BELOW = 25 + 8 + 36 + 6
_MESSAGES = (
    "execute_request", "execute_reply", "execute_result", "stream", "error", "display_data",
    "update_display_data", "clear_output", "status", "comm_open", "comm_msg",
    "comm_close", "comm_info_request", "comm_info_reply", "kernel_info_request",
    "kernel_info_reply", "shutdown_request", "shutdown_reply",
)  # fmt: skip
_CONTENT = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' ws://127.0.0.1:* ws://localhost:*; worker-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is.

    Attributes
    ----------
    token_file : pathlib.Path
        Holds the address with its token; readable by its owner only, removed at the end.
    """

    port: int
    token_file: Path
    token: str

    @property
    def url(self) -> str:
        """Address with the token, to be opened once; the browser keeps a cookie then."""
        return f"http://{HOST}:{self.port}/?token={self.token}"

    def __repr__(self) -> str:
        return f"Address(port={self.port}, token_file={self.token_file}, token=***)"


def token_file(home: Path) -> Path:
    """File that holds the address of the running page."""
    return home / "monitor.url"


def read_address(home: Path) -> str:
    """Address of the running page, token included.

    Raises
    ------
    SettingsError
        When no page is being served for this home.
    """
    try:
        return token_file(home).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise SettingsError(
            "the monitor page is not being served; start it with strikeloom monitor"
        ) from None


def serve(
    notebook: Path,
    home: Path,
    *,
    port: int,
    parameters: dict[str, Any] | None = None,
    idle_seconds: int = _IDLE_SECONDS,
    ready: Callable[[Address], None] = lambda _: None,
) -> None:
    """Serve the page until SIGINT or SIGTERM.

    Parameters
    ----------
    notebook : pathlib.Path
        Notebook 05.
    home : pathlib.Path
        The desk's home, passed to the page's kernels; the token file is written here.
    port : int
        Port on loopback; 0 takes a free one.
    parameters : dict, optional
        Values for the notebook's parameters cell.
    idle_seconds : int
        A kernel whose last cell began longer ago ends when no tab is connected to it.
    ready : callable
        Called with the address once the server answers.

    Raises
    ------
    SettingsError
        When the port is taken.
    """
    sockets = _bind(port)
    address = Address(sockets[0].getsockname()[1], token_file(home), secrets.token_urlsafe(24))
    os.environ["STRIKELOOM_HOME"] = str(home)
    os.environ[PAGE_SERVER] = str(os.getpid())
    with tempfile.TemporaryDirectory(prefix="strikeloom-page-", dir=short_folder(_BELOW)) as folder:
        shown = _with_parameters(
            notebook, Path(folder) / "page" / "monitor.ipynb", parameters or {}
        )
        _write_private(address.token_file, address.url + "\n")
        try:
            _run(_server(shown, Path(folder), address.port, idle_seconds), sockets, address, ready)
        finally:
            for item in sockets:
                item.close()
            with contextlib.suppress(FileNotFoundError):
                if address.token_file.read_text(encoding="utf-8").strip() == address.url:
                    address.token_file.unlink()  # a page started since has its own


def _bind(port: int) -> list[socket.socket]:
    try:
        return bind_sockets(port, HOST)
    except OSError as error:
        raise SettingsError(
            f"port {port} on {HOST} cannot be used ({error.strerror}); another page may be "
            "running: give --port or change monitor.port in config/monitor.yaml",
            port=port,
        ) from None


def _with_parameters(source: Path, target: Path, values: dict[str, Any]) -> Path:
    """Copy of the notebook: its code without outputs, its parameters set."""
    import nbformat
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    notebook = load_notebook_node(str(source))
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.metadata.title = "Strikeloom monitor"
    for cell in notebook.cells:
        cell.outputs, cell.execution_count = [], None
    if values:
        notebook = parameterize_notebook(notebook, values)
    target.parent.mkdir()
    nbformat.write(notebook, target)  # type: ignore[no-untyped-call]
    return target


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    part.replace(path)


class ThisPython(KernelSpecManager):
    """Runs every kernel in the environment that serves the page, whatever specs are installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Spec of the running Python."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


class _Server(Voila):  # type: ignore[misc]
    """Voila's application without its own command line, config files, login and listener."""

    def load_config_file(self, *_: Any, **__: Any) -> None:
        """Read no settings from files of the machine."""

    def start(self) -> None:
        """Build the application; the caller binds and runs it."""
        settings = self.init_settings()
        self.app = Application(**settings)
        self.app.settings.update(self.tornado_settings)
        self.app.add_handlers(".*$", self.init_handlers())


def _server(notebook: Path, folder: Path, port: int, idle_seconds: int) -> _Server:
    config = Config()
    config.VoilaConfiguration.show_tracebacks = False
    config.VoilaConfiguration.strip_sources = True
    config.VoilaConfiguration.file_allowlist = []
    config.VoilaConfiguration.kernel_spec_manager_class = ThisPython
    config.VoilaConfiguration.template = "lab"
    config.VoilaConfiguration.allow_template_override = "NO"
    config.VoilaConfiguration.allow_theme_override = "NO"
    if fits(str(folder.parent), _BELOW):
        config.KernelManager.transport = "ipc"  # private files, not ports
    config.MappingKernelManager.cull_idle_timeout = idle_seconds
    config.MappingKernelManager.cull_interval = max(1, idle_seconds // 4)
    config.MappingKernelManager.cull_connected = False
    # the page sends messages every second even when it is hidden: a kernel is kept for as long
    # as a tab is connected, so what a page sends is no activity. The begin of a cell is: only the
    # page's own cells have one, and a tab cannot connect before the last of them has run
    config.MappingKernelManager.untracked_message_types = list(_MESSAGES)
    server = _Server(
        config=config,
        notebook_path=str(notebook),
        root_dir=str(notebook.parent),
        ip=HOST,
        port=port,
        open_browser=False,
        log_level="WARN",
        tornado_settings={
            "headers": {**SECURITY_HEADERS, "Content-Security-Policy": _CONTENT},
            "allow_remote_access": False,
            "local_hostnames": ["localhost", HOST],
            # a page that is closed ends its kernel by a POST without this token; the gate has
            # checked origin and cookie before
            "disable_check_xsrf": True,
        },
    )
    server.initialize([])
    server.template_paths.insert(0, str(Path(__file__).parent / "template"))
    server.connection_dir = str(folder)
    server.start()
    return server


def _run(
    server: _Server,
    sockets: list[socket.socket],
    address: Address,
    ready: Callable[[Address], None],
) -> None:
    loop = IOLoop.current()
    http = HTTPServer(Gate(server.app, address.token, address.port))
    http.add_sockets(sockets)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: loop.add_callback_from_signal(loop.stop))
    loop.add_callback(ready, address)
    try:
        loop.start()
    finally:
        http.stop()
        loop.run_sync(partial(_end_kernels, server.kernel_manager))


async def _end_kernels(manager: Any) -> None:
    """End every kernel; one that has ended by itself does not stop the others from ending."""
    for kernel_id in list(manager.list_kernel_ids()):
        with contextlib.suppress(HTTPError):
            await manager.shutdown_kernel(kernel_id, now=True)
