"""The feed's bytes, against the official client's own readers and against arbitrary bytes."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from soak.feed_fuzz import mutations

from strikeloom.adapters.dhan.packets import (
    BadPacket,
    Disconnect,
    FullTick,
    MarketStatus,
    OpenInterest,
    PreviousClose,
    QuoteTick,
    Ticker,
    best,
    decode,
    levels,
)

LEVEL = struct.Struct("<IIHHff")
DEPTH = b"".join(
    LEVEL.pack(650 + i, 1300 + i, 3 + i, 7 + i, 100.05 - i, 100.1 + i) for i in range(5)
)
PACKETS = {
    Ticker: struct.pack("<BHBIfI", 2, 16, 2, 49081, 100.05, 1_739_268_000),
    QuoteTick: struct.pack(
        "<BHBIfHIfIIIffff", 4, 50, 2, 49081, 100.05, 65, 1_739_268_000, 99.5, 130_000, 650, 1300,
        98.0, 97.5, 101.0, 96.0,
    ),
    OpenInterest: struct.pack("<BHBII", 5, 12, 2, 49081, 1_234_500),
    PreviousClose: struct.pack("<BHBIfI", 6, 16, 0, 13, 25_000.5, 7),
    MarketStatus: struct.pack("<BHBI", 7, 8, 0, 0),
    FullTick: struct.pack(
        "<BHBIfHIfIIIIIIffff100s", 8, 162, 2, 49081, 100.05, 65, 1_739_268_000, 99.5, 130_000, 650,
        1300, 1_234_500, 1_300_000, 1_200_000, 98.0, 97.5, 101.0, 96.0, DEPTH,
    ),
    Disconnect: struct.pack("<BHBIH", 50, 10, 0, 0, 807),
}  # fmt: skip


@pytest.fixture(scope="module")
def official():
    """Readers of the official client; they use nothing of the object but themselves."""
    from dhanhq.marketfeed import MarketFeed

    return MarketFeed.__new__(MarketFeed)


def _two(value: float) -> str:
    return f"{value:.2f}"


def test_a_full_packet_reads_as_the_official_client_reads_it(official) -> None:
    (found,) = decode(PACKETS[FullTick]).packets
    theirs = official.process_full(PACKETS[FullTick])
    assert isinstance(found, FullTick)
    assert _two(found.last) == theirs["LTP"]
    assert (found.last_units, found.volume, found.open_interest) == (
        theirs["LTQ"], theirs["volume"], theirs["OI"],
    )  # fmt: skip
    assert [_two(v) for v in (found.open, found.close, found.high, found.low)] == [
        theirs[name] for name in ("open", "close", "high", "low")
    ]
    for ours, level in zip(levels(found.depth), theirs["depth"], strict=True):
        assert (ours.bid_units, ours.ask_units) == (level["bid_quantity"], level["ask_quantity"])
        assert (_two(ours.bid), _two(ours.ask)) == (level["bid_price"], level["ask_price"])
    assert best(found.depth) == levels(found.depth)[0]


def test_other_packets_read_as_the_official_client_reads_them(official) -> None:
    (ticker,) = decode(PACKETS[Ticker]).packets
    theirs = official.process_ticker(PACKETS[Ticker])
    assert _two(ticker.last) == theirs["LTP"]
    (quote,) = decode(PACKETS[QuoteTick]).packets
    theirs = official.process_quote(PACKETS[QuoteTick])
    assert (_two(quote.last), quote.volume) == (theirs["LTP"], theirs["volume"])
    assert (quote.buy_units, quote.sell_units) == (
        theirs["total_buy_quantity"], theirs["total_sell_quantity"],
    )  # fmt: skip
    (interest,) = decode(PACKETS[OpenInterest]).packets
    assert interest.open_interest == official.process_oi(PACKETS[OpenInterest])["OI"]
    (close,) = decode(PACKETS[PreviousClose]).packets
    theirs = official.process_prev_close(PACKETS[PreviousClose])
    assert (_two(close.close), close.open_interest) == (theirs["prev_close"], theirs["prev_OI"])


@given(st.lists(st.sampled_from(list(PACKETS)), min_size=1, max_size=30))
def test_stacked_packets_are_all_read_in_their_order(kinds) -> None:
    found = decode(b"".join(PACKETS[kind] for kind in kinds))
    assert [type(packet) for packet in found.packets] == kinds
    assert (found.unknown, found.error) == (0, None)


def test_unknown_codes_are_stepped_over_and_longer_packets_read() -> None:
    unknown = struct.pack("<BHBI", 99, 20, 2, 5) + b"\xff" * 12
    longer = struct.pack("<BHBIfI", 2, 20, 2, 49081, 1.5, 7) + b"\0" * 4
    found = decode(unknown + longer + PACKETS[Ticker])
    assert found.unknown == 1
    assert [packet.last for packet in found.packets] == [1.5, pytest.approx(100.05)]
    assert found.error is None


@pytest.mark.parametrize("cut", range(1, 162))
def test_a_cut_message_keeps_what_was_whole(cut: int) -> None:
    found = decode(PACKETS[Ticker] + PACKETS[FullTick][:cut])
    assert len(found.packets) == 1
    assert isinstance(found.error, BadPacket)


@given(st.binary(max_size=400))
def test_any_bytes_give_packets_or_a_typed_error(message: bytes) -> None:
    found = decode(message)
    assert found.error is None or isinstance(found.error, BadPacket)
    assert all(packet.length >= 8 for packet in found.packets)
    assert sum(packet.length for packet in found.packets) <= len(message)


def test_twenty_thousand_mutations_give_packets_or_a_typed_error() -> None:
    """A fiftieth of the soak: whole messages with bytes changed, cut and joined."""
    bad = 0
    for message in mutations(20_000, seed=7):
        found = decode(message)
        bad += found.error is not None
        assert found.error is None or isinstance(found.error, BadPacket)
    assert 2_000 < bad < 18_000


def test_a_shuffle_changes_nothing() -> None:
    order = list(PACKETS)
    random.Random(3).shuffle(order)
    found = decode(b"".join(PACKETS[kind] for kind in order)).packets
    assert {type(p): p for p in found} == {
        kind: decode(raw).packets[0] for kind, raw in PACKETS.items()
    }
