"""The folder of exit rules is its own registry: half a rule is an error at start, never another.

With real money a rule that acts under another's name would close positions at the wrong place.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from strikeloom.domain.folders import config_folder
from strikeloom.domain.positions import Urgency
from strikeloom.errors import SettingsError
from strikeloom.settings import exit_rules as package
from strikeloom.settings.all import load_settings
from strikeloom.settings.exit_registry import exit_rules, urgency_of
from strikeloom.settings.exit_rules.stop_loss import StopLoss
from strikeloom.settings.exits import ExitSettings

WHOLE = '''
from typing import ClassVar, Literal

from strikeloom.domain.positions import Urgency
from strikeloom.settings.exit_rule import ExitRule


class HeldLong(ExitRule):
    """Fires after so many sessions."""

    rule: Literal["held_long"] = "held_long"
    sessions: int
    urgency: ClassVar = Urgency.NORMAL

    def progress(self, position):
        return position.sessions_held / self.sessions

    def sentence(self, marked):
        return f"held {marked.sessions_held} sessions"
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder whose files are exit rules too, beside those of the product."""
    rules = tmp_path / "rules"
    rules.mkdir()
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(rules)])
    exit_rules.cache_clear()
    yield rules
    exit_rules.cache_clear()
    for path in rules.glob("*.py"):
        sys.modules.pop(f"{package.__name__}.{path.stem}", None)
        if hasattr(package, path.stem):
            delattr(package, path.stem)


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    """Give a settings folder of one's own."""
    return Path(shutil.copytree(config_folder(), tmp_path / "config"))


def _add_line(plans: Path, line: str) -> None:
    path = plans / "exits.yaml"
    text = path.read_text(encoding="utf-8").replace("  debit:", f"    - {line}\n  debit:")
    path.write_text(text, encoding="utf-8")


def test_a_file_and_a_line_are_a_whole_rule(folder: Path, plans: Path) -> None:
    (folder / "held_long.py").write_text(WHOLE, encoding="utf-8")
    _add_line(plans, "{rule: held_long, sessions: 5}")
    rule = load_settings(plans).exits.plans["credit"][-1]
    assert type(rule).__name__ == "HeldLong"
    assert rule.model_dump() == {"rule": "held_long", "sessions": 5}
    assert rule.name == "held long"
    assert urgency_of("held long") is Urgency.NORMAL


def test_a_line_without_a_file_is_refused(plans: Path) -> None:
    _add_line(plans, "{rule: held_long, percent: 1}")
    with pytest.raises(SettingsError) as caught:
        load_settings(plans)
    text = str(caught.value)
    assert "plans.credit.line 4.rule is 'held_long'" in text
    assert "known rules: days_to_expiry, leg_ended, profit_target, stop_loss" in text
    assert str(plans / "exits.yaml") in text


LITERAL = '    rule: Literal["held_long"] = "held_long"\n'
CUT = WHOLE.index("    def sentence")


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("held_long", '"""Nothing yet."""\n', "defines no rule"),
        ("held_long", WHOLE.replace("(ExitRule)", ""), "defines no rule"),
        ("held_long", WHOLE + WHOLE.replace("HeldLong", "HeldAgain"), "HeldLong, HeldAgain"),
        ("held_long", WHOLE.replace(LITERAL, ""), "HeldLong has no name of its own"),
        ("held_long", WHOLE.replace(LITERAL, '    rule: str = "held_long"\n'), "no name"),
        ("held_long", WHOLE.replace('"held_long"', '"stop_loss"'), "which is that of stop_loss.py"),
        ("held_long", WHOLE.replace('"held_long"', '"held_short"'), "named 'held_short'"),
        ("held_long", WHOLE[:CUT], "does not define sentence"),
        ("held_long", WHOLE.replace("    urgency: ClassVar = Urgency.NORMAL\n", ""), "urgency"),
        ("held_long", "import no_such_library\n", "cannot be imported"),
    ],
)
def test_half_a_rule_is_refused_at_start(
    folder: Path, plans: Path, file: str, text: str, expected: str
) -> None:
    (folder / f"{file}.py").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(plans)
    assert f"exit rule {file}.py" in str(caught.value)
    assert expected in str(caught.value)


def test_two_files_of_one_name_are_refused(folder: Path) -> None:
    copy = Path(package.__file__ or "").with_name("stop_loss.py")
    shutil.copy(copy, folder / "second_stop.py")
    with pytest.raises(SettingsError, match=r"second_stop\.py: .*'stop_loss'.*stop_loss\.py"):
        exit_rules()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{rule: stop_loss, percnt: 60}", "plans.credit.line 4.percnt is 60: unknown key"),
        ("{rule: stop_loss}", "key plans.credit.line 4.percent is missing"),
        ("{rule: stop_loss, percent: 0}", "plans.credit.line 4.percent is 0"),
        ("{percent: 60}", "plans.credit.line 4.rule is None"),
        ("stop_loss", "plans.credit.line 4.rule is 'stop_loss'"),
        ("{rule: [stop_loss], percent: 60}", "plans.credit.line 4.rule is ['stop_loss']"),
    ],
)
def test_a_mistake_in_a_line_is_explained(plans: Path, line: str, expected: str) -> None:
    _add_line(plans, line)
    with pytest.raises(SettingsError) as caught:
        load_settings(plans)
    assert expected in str(caught.value)


def test_every_mistake_of_a_plan_is_reported_at_once(plans: Path) -> None:
    _add_line(plans, "{rule: one}")
    _add_line(plans, "{rule: two}")
    with pytest.raises(SettingsError, match=r"'one'.*'two'"):
        load_settings(plans)


def test_a_plan_is_a_list_of_rules() -> None:
    rule = StopLoss(percent=60)
    assert ExitSettings(plans={"one": [rule]}).plans == {"one": [rule]}
    dumped = ExitSettings(plans={"one": [rule]}).model_dump()
    assert dumped == {"plans": {"one": [{"rule": "stop_loss", "percent": 60.0, "of": "maximum"}]}}


def test_the_urgency_of_a_rule_that_is_gone_is_unknown() -> None:
    assert urgency_of("stop loss") is Urgency.HIGH
    assert urgency_of("no such rule") is None
