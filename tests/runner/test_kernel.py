from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from strikeloom.errors import SettingsError
from strikeloom.runner.kernel import KERNEL, ensure_kernel


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
