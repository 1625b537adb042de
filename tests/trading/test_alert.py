"""One text is one alert within an hour, however often the failure is met."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from strikeloom.trading.alert import alert
from support.desk import MadeDesk


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeDesk]:
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()


def test_an_alert_is_sent_again_after_an_hour_and_not_before(made: MadeDesk) -> None:
    for minutes, sent in ((0, 1), (1, 1), (58, 1), (1, 2), (1, 2)):
        made.clock.at += timedelta(minutes=minutes)
        alert(made.desk, "critical", "the broker cannot be read")
        assert len(made.alerts.texts) == sent
    alert(made.desk, "critical", "something else")
    assert len(made.alerts.texts) == 3
    stored = made.store.alerts()
    assert [(item.level, item.text) for item in stored] == made.alerts.texts[::-1]
