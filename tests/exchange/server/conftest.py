"""The official client, unmodified, pointed at a local exchange."""

import pytest
from dhanhq import DhanContext, dhanhq

from support.local_exchange import local_exchange


@pytest.fixture
def local(tmp_path):
    with local_exchange(tmp_path, limits=False) as exchange:
        yield exchange


@pytest.fixture
def limited(tmp_path):
    with local_exchange(tmp_path) as exchange:
        yield exchange


def official(exchange, token=None):
    context = DhanContext(exchange.client_id, token or exchange.token)
    context.get_dhan_http().base_url = exchange.rest
    context.get_dhan_http().timeout = 10
    return context


@pytest.fixture
def context(local):
    return official(local)


@pytest.fixture
def client(context):
    return dhanhq(context)


@pytest.fixture
def call(local):
    """At the money call of the week, quoted 100 to 101, ten lots a side."""
    found = next(
        row.instrument
        for row in local.market.listed
        if row.instrument.strike == 25_000_00 and row.instrument.right.value == "CE"
    )
    local.market.show(found, 100_00, 101_00, size=650)
    local.market.trade(found, 100_50, 6500, 65_000)
    return found
