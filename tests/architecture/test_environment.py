"""The chain pyproject.toml -> uv.lock -> requirements.txt -> environment.yml has not drifted."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OWNERS = {
    "jupyterlab",
    "ipywidgets",
    "voila",
    "pandas",
    "numpy",
    "scipy",
    "plotly",
    "papermill",
    "dhanhq",
}


def _uv() -> str | None:
    """Where the Makefile puts it, else the machine's own."""
    own = ROOT / ".tools" / "uv"
    return str(own) if own.exists() else shutil.which("uv")


def _name(requirement: str) -> str:
    """Package of a requirement line, in the one spelling that lock files use."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!~;\[ (]", requirement)[0]).lower()


def _declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {_name(line) for line in project["project"]["dependencies"]}


def _body(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]


def test_the_lock_and_the_export_are_fresh() -> None:
    uv = _uv()
    if uv is None:
        pytest.skip("uv is absent; the export is compared with the lock in the next test")
    check = subprocess.run(
        [uv, "lock", "--check", "--offline"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if "offline" not in check.stderr.lower():
        assert check.returncode == 0, check.stderr
    export = subprocess.run(
        [uv, "export", "--frozen", "--no-hashes", "--no-emit-project", "--no-dev", "-q"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert _body(export.stdout) == _body((ROOT / "requirements.txt").read_text(encoding="utf-8"))


def test_requirements_are_the_lock_s_versions() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    versions: dict[str, set[str]] = {}
    for package in lock["package"]:
        versions.setdefault(package["name"], set()).add(package.get("version", ""))
    for line in _body((ROOT / "requirements.txt").read_text(encoding="utf-8")):
        found = re.match(r"([A-Za-z0-9_.-]+)==([^ ;]+)", line)
        assert found, line
        assert found.group(2) in versions[found.group(1).lower()], line


def test_the_environment_is_a_thin_shell() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    names = [d for d in environment["dependencies"] if isinstance(d, str)]
    assert {re.split("[=<>]", name)[0] for name in names} == {"python", "pip"}
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert pip == ["-r requirements.txt", "-e ."]


def test_the_owner_s_packages_are_declared_and_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert _declared() >= OWNERS
    assert any(line.startswith("nbval") for line in project["dependency-groups"]["dev"])
    assert OWNERS - {"jupyterlab"} <= _imported()
    assert "jupyter lab" in (ROOT / "Makefile").read_text(encoding="utf-8")


def _imported() -> set[str]:
    """Packages outside the standard library that the code imports."""
    names: set[str] = set()
    for path in (ROOT / "lib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    providers = metadata.packages_distributions()
    outside = names - set(sys.stdlib_module_names) - {"strikeloom"}
    return {_name(package) for name in outside for package in set(providers[name])}


def test_what_is_imported_is_declared() -> None:
    """By the project, as an extra, or by a package that it declares (papermill brings nbformat)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {_name(line) for lines in project["optional-dependencies"].values() for line in lines}
    brought = {
        _name(line)
        for package in _declared()
        for line in metadata.requires(package) or ()
        if "extra ==" not in line
    }
    assert _imported() <= _declared() | brought | extras
