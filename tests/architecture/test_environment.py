"""The chain pyproject.toml -> uv.lock -> requirements.txt -> environment.yml has not drifted."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
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
}


def _uv() -> str | None:
    own = ROOT / ".tools" / "uv"
    return str(own) if own.exists() else shutil.which("uv")


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
    declared = {re.split("[<>=]", line)[0] for line in project["project"]["dependencies"]}
    assert declared >= OWNERS
    assert any(line.startswith("nbval") for line in project["dependency-groups"]["dev"])
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "lib").rglob("*.py"))
    for name in OWNERS - {"jupyterlab"}:
        assert re.search(rf"\b(import|from) {name}\b", source), name
    assert "lab" in (ROOT / "Makefile").read_text(encoding="utf-8")
