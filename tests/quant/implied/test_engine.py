"""Which path computes, and where compiled code is kept. Each case is a process of its own."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import strikeloom

PACKAGE = Path(strikeloom.__file__).parent
#: What is compiled here is not meant to be fast.
_QUICK = {"NUMBA_OPT": "1"}
_LOAD = "from strikeloom.quant.implied import engine\nassert engine.load()\n"
_SOLVE = """
import numpy as np
from strikeloom.quant.black76 import price
from strikeloom.quant.implied.solver import implied_vol
k = np.linspace(70.0, 130.0, {rows})
p = price(100.0, k, 0.1, 0.3, k >= 100)
vol, reason = implied_vol(p, 100.0, k, 0.1, k >= 100)
assert np.abs(vol / 0.3 - 1).max() < 1e-6 and not reason.any()
"""


def _run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **_QUICK, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _output(code: str, **environment: str) -> str:
    done = _run(code, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = """
import sys
import strikeloom, strikeloom.quant.black76, strikeloom.quant.implied.solver, strikeloom.quant.chain
{then}
print([name for name in ("numba", "llvmlite", "scipy", "pandas") if name in sys.modules])
"""
    assert _output(code.format(then="")) == "[]"
    assert _output(code.format(then=_SOLVE.format(rows=200))) == "[]"


def test_without_numba_numpy_is_used_and_a_warning_logged(tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text("raise ImportError('broken on purpose')\n")
    code = _SOLVE.format(rows=3_000_000) + _SOLVE.format(rows=1_000_000)
    code += "from strikeloom.quant.implied import engine\nprint(engine.load())"
    done = _run(code, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "False"
    assert done.stderr.count("compiled kernels are not available") == 1
    assert "broken on purpose" in done.stderr


_SLOWLY = """
import threading
from strikeloom.quant.implied import engine
finish, compiled = threading.Event(), engine._import_kernels
engine._import_kernels = lambda: (finish.wait(100), compiled())[1]
"""


def test_numpy_answers_while_kernels_compile_and_the_next_process_finds_them(
    tmp_path: Path,
) -> None:
    code = _SLOWLY + _SOLVE.format(rows=3_000_000)
    code += """
print(engine._engine.thread.is_alive(), engine._engine.path.__name__)
finish.set()
"""
    # the process leaves only when all is compiled and kept
    cold = _output(code, NUMBA_CACHE_DIR=str(tmp_path))
    assert cold == "True strikeloom.quant.implied.numpy_rows"
    written = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.nb?")}
    assert len(written) == 6
    code = "from strikeloom.quant.implied import engine\n" + _SOLVE.format(rows=3_000_000)
    code += "print(engine._engine.path.__name__)"
    assert _output(code, NUMBA_CACHE_DIR=str(tmp_path)) == "strikeloom.quant.implied.kernels"
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.nb?")} == written


def test_several_processes_may_compile_at_once(tmp_path: Path) -> None:
    code = _LOAD + _SOLVE.format(rows=5000)
    environment = {**os.environ, **_QUICK, "NUMBA_CACHE_DIR": str(tmp_path)}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    assert _output(code, NUMBA_CACHE_DIR=str(tmp_path)) == ""


@pytest.mark.skipif(os.name == "nt", reason="folders are made read-only by their mode")
def test_a_folder_that_cannot_be_written_is_passed_over(tmp_path: Path) -> None:
    """An installation that belongs to someone else: the user's own cache is used."""
    site, home = tmp_path / "site", tmp_path / "cache"
    shutil.copytree(PACKAGE, site / "strikeloom", ignore=shutil.ignore_patterns("__pycache__"))
    # as root every folder can be written, so a file is put where the folder would be
    (site / "strikeloom" / "quant" / "__pycache__").write_text("")
    code = _LOAD + "print(engine.__file__)\n"
    code += _SOLVE.format(rows=5000)
    settings = {
        "PYTHONPATH": str(site), "XDG_CACHE_HOME": str(home), "NUMBA_CACHE_DIR": "",
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    assert _output(code, **settings).startswith(str(site))
    assert list(home.glob("strikeloom/kernels-*/complete"))
    # nowhere to write at all: compiled for this process alone, and nothing is left behind
    shutil.rmtree(home)
    home.write_text("")
    temporary = tmp_path / "temporary"
    temporary.mkdir(mode=stat.S_IRWXU)
    assert _output(code, TMPDIR=str(temporary), **settings).startswith(str(site))
    assert list(temporary.glob("strikeloom-*")) == []


def test_changed_formulas_are_compiled_again(tmp_path: Path) -> None:
    """numba looks at the time and size of one file; a formula lives in another."""
    site, home = tmp_path / "site", tmp_path / "cache"
    shutil.copytree(PACKAGE, site / "strikeloom", ignore=shutil.ignore_patterns("__pycache__"))
    code = _LOAD
    code += (
        "from strikeloom.quant.black76 import greeks\nprint(float(greeks(100,100,1,.2,True).theta))"
    )
    settings = {"PYTHONPATH": str(site), "NUMBA_CACHE_DIR": str(home)}
    before = float(_output(code, **settings))
    formulas = site / "strikeloom" / "quant" / "implied" / "formulas.py"
    text = formulas.read_text()
    stamp = formulas.stat()
    formulas.write_text(text.replace("DAYS_PER_YEAR = 365.0", "DAYS_PER_YEAR = 730.0"))
    os.utime(formulas, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    shutil.rmtree(formulas.parent / "__pycache__", ignore_errors=True)
    assert float(_output(code, **settings)) == pytest.approx(before / 2, rel=1e-14)
