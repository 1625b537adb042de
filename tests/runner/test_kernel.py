from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from strikeloom.desk import socket_names
from strikeloom.errors import SettingsError
from strikeloom.runner.kernel import KERNEL, ensure_kernel, private_channels


def test_the_kernel_is_this_very_environment(tmp_path: Path) -> None:
    folder = ensure_kernel(tmp_path)
    assert folder == tmp_path / "share" / "jupyter" / "kernels" / KERNEL
    spec = json.loads((folder / "kernel.json").read_text())
    assert spec["argv"][0] == sys.executable
    assert spec["language"] == "python"


def test_a_spec_of_another_environment_is_replaced(tmp_path: Path) -> None:
    file = ensure_kernel(tmp_path) / "kernel.json"
    good = file.read_text()
    before = file.stat().st_mtime_ns
    ensure_kernel(tmp_path)
    assert file.stat().st_mtime_ns == before
    for bad in ('{"argv": ["/elsewhere/python"]}', "not json", ""):
        file.write_text(bad)
        ensure_kernel(tmp_path)
        assert file.read_text() == good


def test_jupyter_finds_it_in_this_environment() -> None:
    from jupyter_client.kernelspec import KernelSpecManager

    ensure_kernel()
    assert KernelSpecManager().get_kernel_spec(KERNEL).argv[0] == sys.executable


def test_an_environment_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "share").write_text("a file, no folder")
    with pytest.raises(SettingsError, match=r"kernel cannot be written.*make setup"):
        ensure_kernel(tmp_path)


def test_a_kernel_of_a_run_opens_no_port() -> None:
    """Ports are let go before the kernel takes them: another process could come in between."""
    from jupyter_client.manager import KernelManager

    ensure_kernel()
    with private_channels() as config:
        manager = KernelManager(kernel_name=KERNEL, config=config)
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(60)
            folder = Path(manager.connection_file).parent
            assert len(list(folder.glob("kernel-ipc-*"))) == 5
            assert folder.stat().st_mode & 0o077 == 0
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    assert not folder.exists()


def test_without_a_short_folder_a_kernel_uses_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_names, "LONGEST", 1)
    with private_channels() as config:
        assert not config
