"""Imports point one way, and importing the package is cheap."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Rooms that may know databases, brokers and screens.
OUTWARD = {"adapters", "exchange", "desk", "runner", "views", "research", "cli"}


def _contracts() -> configparser.ConfigParser:
    found = configparser.ConfigParser()
    found.read(ROOT / ".importlinter", encoding="utf-8")
    return found


def _rooms() -> set[str]:
    package = ROOT / "lib" / "strikeloom"
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    return folders | {path.stem for path in package.glob("*.py")} - {"__init__"}


def test_rooms_import_only_from_below() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_layers_are_all_rooms_in_the_order_of_the_design() -> None:
    rows = _contracts()["importlinter:contract:layers"]["layers"].split("\n")
    layers = [{room.strip() for room in row.split("|")} for row in rows if row]
    assert set().union(*layers) == _rooms()
    place = {room: number for number, layer in enumerate(reversed(layers)) for room in layer}
    upwards = ["errors", "domain", "quant", "ports", "risk", "trading", "monitor", "desk", "views"]
    assert sorted(upwards, key=place.__getitem__) == upwards
    assert place["cli"] == max(place.values())
    assert place["quant"] == place["nse"] == place["settings"]


def test_every_inner_room_is_kept_from_the_outside_world() -> None:
    kept = _contracts()["importlinter:contract:outside-world"]["source_modules"].split()
    assert {name.removeprefix("strikeloom.") for name in kept} == _rooms() - OUTWARD


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("numba", "pandas", "numpy", "scipy", "plotly", "papermill", "voila", "pyarrow")
    code = f"import sys, strikeloom; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_rooms_of_facts_and_records_load_without_heavy_libraries() -> None:
    heavy = ("numba", "pandas", "scipy", "plotly", "papermill", "voila", "exchange_calendars")
    modules = ("errors", "domain.orders", "nse.sessions", "nse.charges", "nse.lots", "ports.desk")
    code = (
        f"import sys, importlib; [importlib.import_module('strikeloom.' + m) for m in {modules!r}];"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
