"""Each documented limit, on a clock that moves when the test moves it.

Expected figures are those of the broker's documentation: orders 10 a second, 250 a minute, 1,000
an hour and 7,000 a day; data 5 a second and 100,000 a day; quotes 1 a second; all else 20 a
second; one option chain of the same underlying and expiry in three seconds.
"""

from __future__ import annotations

import pytest
import requests

from strikeloom.exchange.server.rate_limits import (
    ClientRateLimiter,
    RateLimitClass,
    documented_limits,
)
from support.local_exchange import Pace

ORDER, DATA, QUOTE, OTHER = (
    RateLimitClass.ORDER,
    RateLimitClass.DATA,
    RateLimitClass.QUOTE,
    RateLimitClass.OTHER,
)


def ask(local, verb, path, body=None):
    headers = {"access-token": local.token, "client-id": local.client_id}
    return requests.request(verb, local.rest + path, json=body, headers=headers, timeout=10)


def until_refused(ask_once, most):
    """Calls that went through before one was refused, and the refusal."""
    for count in range(most + 1):
        reply = ask_once()
        if reply.status_code == 429:
            return count, reply.json()
    return most + 1, None


@pytest.mark.parametrize(
    ("verb", "path", "body", "calls"),
    [
        ("DELETE", "/orders/100000000099", None, 10),
        ("PUT", "/orders/100000000099", {"quantity": 65}, 10),
        ("POST", "/orders", {"quantity": 65}, 10),
        ("POST", "/orders/slicing", {"quantity": 65}, 10),
        ("GET", "/orders", None, 20),
        ("GET", "/positions", None, 20),
        ("GET", "/fundlimit", None, 20),
        ("GET", "/trades/", None, 20),
        ("POST", "/margincalculator", {}, 20),
        ("POST", "/optionchain/expirylist", {"UnderlyingScrip": 13, "UnderlyingSeg": "IDX_I"}, 5),
        ("POST", "/charts/intraday", {}, 5),
        ("GET", "/instrument/IDX_I", None, 5),
        ("POST", "/marketfeed/ltp", {"IDX_I": [13]}, 1),
        ("POST", "/marketfeed/ohlc", {"IDX_I": [13]}, 1),
        ("POST", "/marketfeed/quote", {"IDX_I": [13]}, 1),
    ],
)
def test_a_second_holds_so_many_calls_and_the_next_one_as_many(limited, verb, path, body, calls):
    def once():
        return ask(limited, verb, path, body)

    for _ in range(2):
        went, refusal = until_refused(once, 30)
        assert went == calls
        assert refusal.get("errorCode") == "DH-904" or "805" in refusal["data"]
        limited.pace.seconds += 1.0


def test_classes_are_counted_apart(limited):
    until_refused(lambda: ask(limited, "DELETE", "/orders/100000000099"), 30)
    assert ask(limited, "GET", "/orders").status_code == 200
    assert ask(limited, "POST", "/marketfeed/ltp", {"IDX_I": [13]}).status_code == 200


def test_orders_of_a_minute(limited):
    def once():
        limited.pace.seconds += 0.125
        return ask(limited, "DELETE", "/orders/100000000099")

    went, _ = until_refused(once, 300)
    assert went == 250
    limited.pace.seconds += 60.0
    assert once().status_code != 429


def test_orders_of_an_hour(limited):
    def once():
        limited.pace.seconds += 0.25  # four a second, 240 a minute
        return ask(limited, "DELETE", "/orders/100000000099")

    went, _ = until_refused(once, 1_100)
    assert went == 1_000
    limited.pace.seconds += 3_600.0
    assert once().status_code != 429


def test_orders_of_a_day(limited):
    limiter, count = limited.exchange.limiter, 0
    while count < 6_995:
        limited.pace.seconds += 4.0  # 900 an hour
        assert limiter.refusal(limited.client_id, ORDER) is None
        count += 1

    def once():
        limited.pace.seconds += 4.0
        return ask(limited, "DELETE", "/orders/100000000099")

    went, _ = until_refused(once, 20)
    assert count + went == 7_000
    limited.pace.seconds += 86_400.0
    assert once().status_code != 429


def test_data_calls_of_a_day():
    pace = Pace()
    limiter = ClientRateLimiter(documented_limits(), pace)
    for _ in range(100_000):
        pace.seconds += 0.25
        assert limiter.refusal("a", DATA) is None
    pace.seconds += 0.25
    full = limiter.refusal("a", DATA)
    assert full is not None
    assert full.name == "day"
    assert limiter.refusal("b", DATA) is None, "another client has a count of its own"
    pace.seconds += 86_400.0
    assert limiter.refusal("a", DATA) is None


@pytest.mark.parametrize("kind", [QUOTE, OTHER])
def test_quotes_and_looks_have_no_limit_beyond_the_second(kind):
    pace = Pace()
    limiter = ClientRateLimiter(documented_limits(), pace)
    for _ in range(200_000):
        pace.seconds += 1.0 if kind is QUOTE else 0.0625
        assert limiter.refusal("a", kind) is None


def test_one_chain_of_a_kind_in_three_seconds(limited):
    def once(expiry="2026-02-17"):
        body = {"UnderlyingScrip": 13, "UnderlyingSeg": "IDX_I", "Expiry": expiry}
        return ask(limited, "POST", "/optionchain", body).status_code

    assert once() == 200
    assert once("2026-02-24") == 200, "another expiry is another request"
    assert once() == 429
    limited.pace.seconds += 2.9
    assert once() == 429
    limited.pace.seconds += 0.2
    assert once() == 200


def test_a_refused_call_has_no_effect_and_is_not_counted(limited):
    pace, limiter = limited.pace, limited.exchange.limiter
    for _ in range(10):
        assert limiter.refusal("a", ORDER) is None
    for _ in range(50):
        assert limiter.refusal("a", ORDER) is not None
    pace.seconds += 1.0
    assert sum(limiter.refusal("a", ORDER) is None for _ in range(20)) == 10


def test_a_window_slides():
    pace = Pace()
    limiter = ClientRateLimiter(documented_limits(), pace)
    for _ in range(10):
        pace.seconds += 0.09375
        assert limiter.refusal("a", ORDER) is None
    pace.seconds += 0.0625
    assert limiter.refusal("a", ORDER) is not None, "ten in the last second"
    pace.seconds += 0.09375
    assert limiter.refusal("a", ORDER) is None, "the first is more than a second ago"
