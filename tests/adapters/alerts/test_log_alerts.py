import logging

import pytest

from strikeloom.adapters.alerts.log import LogAlerts


@pytest.mark.parametrize(
    ("level", "number"),
    [("info", logging.INFO), ("warning", logging.WARNING), ("critical", logging.CRITICAL)],
)
def test_an_alert_is_logged_at_its_level_and_never_formatted(caplog, level, number):
    with caplog.at_level(logging.INFO):
        LogAlerts().send(level, "margin at 95 %s of cash")
    assert caplog.record_tuples == [("strikeloom.alerts", number, "margin at 95 %s of cash")]


def test_an_unknown_level_is_a_warning(caplog):
    LogAlerts().send("odd", "text")
    assert caplog.record_tuples[0][1] == logging.WARNING
