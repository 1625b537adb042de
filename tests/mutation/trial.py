"""Trial of a mutant: the tests of its room, in a process of its own, on the changed source.

The process is forked from one that has loaded the libraries, and reads the changed source from
memory: no file is ever changed, and a trial takes little more than its tests.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_OWN = ("strikeloom", "tests", "support", "conftest", "test_", "__main__", "__mp_main__")


@dataclass(frozen=True)
class Trial:
    """Result of the tests."""

    outcome: str  # passed, failed, timeout; error when pytest itself failed
    failed: list[str]
    durations: dict[str, float]
    libraries: list[str]


@dataclass(eq=False)
class _Watcher:
    """Plugin that orders tests and notes what they do."""

    order: dict[str, float]
    failed: list[str] = field(default_factory=list)
    durations: dict[str, float] = field(default_factory=dict)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self.order.get(item.nodeid, 0.0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        spent = self.durations.get(report.nodeid, 0.0)
        self.durations[report.nodeid] = spent + report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from a changed source, as if it were in its file."""

    changed = ""

    def get_code(self, fullname: str):
        return compile(self.changed, self.get_filename(fullname), "exec", dont_inherit=True)


class _Finder:
    """Finds one module, with its changed source, before any other finder does."""

    def __init__(self, module: str, file: Path, source: str) -> None:
        self.module, self.file, self.source = module, file, source

    def find_spec(self, fullname: str, _path: object, _target: object = None):
        if fullname != self.module:
            return None
        loader = _Loader(fullname, str(self.file))
        loader.changed = self.source
        package = [str(self.file.parent)] if self.file.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            fullname, self.file, loader=loader, submodule_search_locations=package
        )


def load(libraries: list[str]) -> None:
    """Load libraries before the fork, so that no trial has to."""
    for name in libraries:
        with suppress(Exception):
            importlib.import_module(name)


def run_tests(
    tests: list[str],
    scratch: Path,
    *,
    changed: tuple[str, Path, str] | None = None,
    order: dict[str, float] | None = None,
    limit: float = 1800.0,
) -> Trial:
    """Run tests in a forked process, up to the first that fails.

    Parameters
    ----------
    changed : tuple, optional
        Name, file and changed source of a module.
    order : mapping, optional
        Rank of tests by node id: low ones run first.
    limit : float
        Seconds after which the process is ended: a timeout.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _run_and_exit(tests, scratch, changed, order or {}, writer)
    os.close(writer)
    data, ended = b"", time.monotonic() + limit
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        try:
            while (left := ended - time.monotonic()) > 0:
                if select.select([pipe], [], [], left)[0]:
                    part = pipe.read(1 << 16)
                    if not part:
                        break
                    data += part
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    with suppress(ValueError):
        return Trial(**json.loads(data))
    timeout = time.monotonic() >= ended
    return Trial("timeout" if timeout else "failed", ["(the process ended)"], {}, [])


def _run_and_exit(tests, scratch, changed, order, writer) -> None:
    os.setsid()
    silence = os.open(scratch / "last.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    sys.dont_write_bytecode = True
    # fixtures that are drawn once a test run are kept from trial to trial in the scratch folder
    os.environ["PYTEST_XDIST_WORKER"] = "mutation"
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(scratch / "hypothesis")
    if changed is not None:
        sys.meta_path.insert(0, _Finder(*changed))
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutation",
        phases=[Phase.explicit, Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutation")
    watcher = _Watcher(order)
    code = 3
    with suppress(BaseException):
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=short"]
        base = f"--basetemp={scratch / 'tests'}"
        code = int(pytest.main([*options, base, *tests], plugins=[watcher]))
    loaded = [name for name in sys.modules if not name.startswith(_OWN) and "." not in name[:1]]
    trial = {
        "outcome": {0: "passed", 1: "failed", 2: "failed"}.get(code, "error"),
        "failed": watcher.failed,
        "durations": watcher.durations,
        "libraries": loaded,
    }
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(json.dumps(trial).encode())
    os._exit(0)
