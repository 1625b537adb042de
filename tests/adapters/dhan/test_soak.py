"""A fraction of the feed's soak: the same code, every tick accounted for."""

from __future__ import annotations

from soak.feed_stream import run_feed


def test_every_tick_is_used_or_counted_across_resets() -> None:
    found = run_feed(instruments=200, per_second=1000, seconds=6.0, reset_seconds=2.0)
    found.check()
    assert found.resets >= 2
    assert found.ticks > 3000
