"""Limits on a stepped clock: the broker, counting arrivals, never sees too many."""

from __future__ import annotations

import random

import pytest

from strikeloom.adapters.dhan.rate_limiter import LIMITS, CallClass, RateLimiter
from strikeloom.errors import RateLimited


class Stepped:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.at += seconds


def _most_in(moments: list[float], window: float) -> int:
    """Most arrivals in any half-open window, as a server counts them."""
    first = most = 0
    for last, at in enumerate(moments):
        while moments[first] <= at - window:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize(
    ("kind", "window", "most"),
    [(kind, window, most) for kind, rows in LIMITS.items() for window, most in rows.items()],
)
def test_no_window_ever_sees_more_than_is_documented(
    kind: CallClass, window: float, most: int
) -> None:
    clock, rng = Stepped(), random.Random(5)
    limits = RateLimiter(clock, clock.sleep, patience=1e9, limits={kind: {window: most}})
    arrivals = []
    for _ in range(min(2 * most + 5, 15_000) if most < 50_000 else most + 50):
        limits.take(kind)
        arrivals.append(clock.at + rng.uniform(0.0, 0.05))  # the way there takes a while
        clock.at += rng.choice((0.0, 0.0, 0.001))
    assert _most_in(sorted(arrivals), window) <= most
    if most < 50_000:
        assert _most_in(sorted(arrivals), window) == most  # and no less than is allowed


def test_all_windows_of_orders_hold_together() -> None:
    clock = Stepped()
    limits = RateLimiter(clock, clock.sleep, patience=1e9)
    moments = []
    for _ in range(1500):
        limits.take(CallClass.ORDER)
        moments.append(clock.at)
    for window, most in LIMITS[CallClass.ORDER].items():
        assert _most_in(moments, window) <= most


def test_a_turn_too_far_off_is_refused_and_nothing_is_counted() -> None:
    clock = Stepped()
    limits = RateLimiter(clock, clock.sleep, patience=5.0)
    for _ in range(250):
        limits.take(CallClass.ORDER)
    with pytest.raises(RateLimited, match="nothing was sent") as refused:
        limits.take(CallClass.ORDER)
    assert 5.0 < refused.value.facts["seconds"] < 61.0
    clock.at += refused.value.facts["seconds"] + 0.001
    limits.take(CallClass.ORDER)


def test_classes_and_unique_requests_are_counted_apart() -> None:
    clock = Stepped()
    limits = RateLimiter(clock, clock.sleep)
    limits.take(CallClass.CHAIN, about="NIFTY")
    limits.take(CallClass.CHAIN, about="BANKNIFTY")
    limits.take(CallClass.QUOTE)
    limits.take(CallClass.ORDER)
    assert clock.at == 1000.0
    limits.take(CallClass.CHAIN, about="NIFTY")
    assert 1003.0 <= clock.at < 1003.5


def test_refusals_hold_back_longer_each_time_until_an_answer() -> None:
    clock = Stepped()
    limits = RateLimiter(clock, clock.sleep, patience=1e9)
    waits = []
    for _ in range(8):
        limits.refused(CallClass.QUOTE)
        before = clock.at
        limits.take(CallClass.QUOTE)
        waits.append(clock.at - before)
    assert waits[0] >= 1.0
    assert waits[:6] == sorted(waits[:6])
    assert max(waits) <= 61.2
    limits.accepted(CallClass.QUOTE)
    limits.refused(CallClass.QUOTE, retry_after=7.0)
    before = clock.at
    limits.take(CallClass.QUOTE)
    assert 7.0 <= clock.at - before < 7.5
