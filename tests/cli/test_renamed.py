"""Every command that takes a symbol follows a former name to the present one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.renamed_share import DAYS, EVE, FORMER, LAST, LATER, NOTE, home_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of a share that was renamed."""
    made = tmp_path_factory.mktemp("renamed")
    home_of(made, FORMER, LATER).close()
    return made


@pytest.fixture
def shown(
    folder: Path, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Call a command in the home of the renamed share."""
    monkeypatch.setenv("STRIKELOOM_HOME", str(folder))
    return call


def test_iv_of_a_former_name_shows_the_later_and_since_when(shown: Callable[..., Any]) -> None:
    former, later = shown("iv", "zomato"), shown("iv", LATER)
    assert former.code == later.code == 0
    assert NOTE in former.err
    assert NOTE not in later.err
    assert former.out == later.out
    assert former.out.count("2025-0") == len(DAYS)
    assert "the last 21 of 21 sessions" in former.out
    body = json.loads(shown("iv", FORMER, "--json").out)
    assert [day["date"] for day in body] == [str(day) for day in DAYS]
    assert (body[-1]["window_sessions"], body[-1]["sample"]) == (21, 21)
    early = shown("iv", LATER, "--to", str(EVE))
    assert early.code == 0
    assert NOTE in early.err
    assert early.out.startswith(FORMER) or FORMER in early.out


def test_other_commands_follow_a_former_name_too(shown: Callable[..., Any]) -> None:
    explained = shown("explain", FORMER)
    assert NOTE in explained.err
    assert f"no structure of {LATER} is stored" in explained.err
    quoted = shown("quotes", FORMER)
    assert NOTE in quoted.err
    assert FORMER not in quoted.out
    assert LATER in quoted.out
    single = shown("quotes", f"{FORMER}:2025-04-24:100000:CE")
    assert NOTE in single.err
    assert FORMER not in single.out
    banned = shown("data", "ban", "--date", str(LAST), FORMER)
    assert banned.out.startswith(f"{LAST}: {LATER} in the ban period")
    assert shown("data", "ban", "--date", str(EVE), FORMER).out.startswith(f"{EVE}: {FORMER} in")
