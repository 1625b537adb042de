"""The import of compiled code by several threads at once."""

from __future__ import annotations

import importlib
import sys
import threading
from types import ModuleType

import pytest

from strikeloom.quant import kernel_cache


def test_code_that_another_thread_is_importing_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The half-made module is there to be found; whoever takes it lacks its functions."""
    begun, go_on = threading.Event(), threading.Event()
    module = ModuleType("strikeloom.quant.made")

    def slow(name: str) -> ModuleType:
        if name in sys.modules:
            return sys.modules[name]
        monkeypatch.setitem(sys.modules, name, module)
        begun.set()
        go_on.wait(10)
        module.kernel = len  # type: ignore[attr-defined]
        return module

    monkeypatch.setattr(importlib, "import_module", slow)
    monkeypatch.setattr(kernel_cache, "_ready", {})
    found: list[bool] = []

    def use() -> None:
        found.append(hasattr(kernel_cache.import_kernels("made", []), "kernel"))

    threads = [threading.Thread(target=use) for _ in range(2)]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    threads[1].join(0.2)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert found == [True, True]
