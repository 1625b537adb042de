"""Shares and futures beside options: one number in two segments, each with its own rows."""

from __future__ import annotations

import csv
import io
import struct

import pytest
import requests
from websockets.asyncio.client import connect

from exchange.server.test_streams import address, ask, received, run, split
from support.local_exchange import FUTURE, SHARE, SHARE_ID, STOCK_FUTURE

SEGMENT = {SHARE.key: "NSE_EQ", FUTURE.key: "NSE_FNO", STOCK_FUTURE.key: "NSE_FNO"}


@pytest.fixture
def shown(local):
    """The share at 1,400, futures above their underlyings, all quoted on their tick of 0.10."""
    for instrument, price, size in ((SHARE, 1400_00, 900), (STOCK_FUTURE, 1405_00, 5000),
                                    (FUTURE, 25_050_00, 650)):  # fmt: skip
        local.market.show(instrument, price - 10, price + 10, size=size)
        local.market.trade(instrument, price, 6500, 0 if instrument is SHARE else 65_000)
    return local


def headers(local):
    return {"access-token": local.token, "client-id": local.client_id}


def quotes(local, name, body):
    reply = requests.post(f"{local.rest}/marketfeed/{name}", json=body, headers=headers(local),
                          timeout=5)  # fmt: skip
    return reply.json()["data"]


def test_rows_of_the_master_are_written_as_the_broker_writes_them(local):
    """Expected texts: rows of the broker's own lists of 10 February and April 2026."""
    text = requests.get(f"{local.instruments}?layout=compact", timeout=5).text.splitlines()
    future = next(row for row in text if "RELIANCE-Feb2026-FUT" in row)
    assert future == (
        f"NSE,D,{SHARE_ID},FUTSTK,0,RELIANCE-Feb2026-FUT,500.0,RELIANCE FEB FUT,"
        "2026-02-24 14:30:00,-0.01000,XX,10.0000,M,FUT,,"
    )
    assert any(row.startswith("NSE,D,") and ",FUTIDX,0,NIFTY-Feb2026-FUT,65.0," in row
               for row in text)  # fmt: skip
    share = next(row for row in text if ",EQUITY," in row)
    assert share == (
        f"NSE,E,{SHARE_ID},EQUITY,0,RELIANCE,1.0,RELIANCE,,,,10.0000,NA,ES,EQ,RELIANCE"
    )
    rows = list(csv.DictReader(io.StringIO(requests.get(local.instruments, timeout=5).text)))
    by_place = {(row["SEGMENT"], row["SECURITY_ID"]): row for row in rows}
    assert len(by_place) == len(rows)
    found = by_place["E", str(SHARE_ID)]
    assert [found[n] for n in ("INSTRUMENT", "INSTRUMENT_TYPE", "SERIES", "TICK_SIZE")] == [
        "EQUITY", "ES", "EQ", "10.0000",
    ]  # fmt: skip
    found = by_place["D", str(SHARE_ID)]
    assert [found[n] for n in ("INSTRUMENT", "INSTRUMENT_TYPE", "UNDERLYING_SECURITY_ID",
                               "OPTION_TYPE", "STRIKE_PRICE", "EXPIRY_FLAG")] == [
        "FUTSTK", "FUT", str(SHARE_ID), "XX", "-0.01000", "M",
    ]  # fmt: skip
    index = by_place["D", local.id_of(FUTURE)]
    assert (index["INSTRUMENT"], index["UNDERLYING_SECURITY_ID"]) == ("FUTIDX", "26000")


@pytest.mark.parametrize(("segment", "columns"), [("NSE_EQ", 1), ("IDX_I", 1), ("NSE_FNO", 108)])
def test_a_segment_s_master_has_its_rows_alone(local, segment, columns):
    reply = requests.get(f"{local.rest}/instrument/{segment}", headers=headers(local), timeout=5)
    assert len(list(csv.DictReader(io.StringIO(reply.text)))) == columns


def test_one_number_is_two_securities_in_quotes(shown):
    body = {"NSE_EQ": [SHARE_ID], "NSE_FNO": [SHARE_ID, int(shown.id_of(FUTURE))]}
    last = quotes(shown, "ltp", body)
    assert last["NSE_EQ"] == {str(SHARE_ID): {"last_price": 1400.0}}
    assert last["NSE_FNO"] == {
        str(SHARE_ID): {"last_price": 1405.0}, shown.id_of(FUTURE): {"last_price": 25_050.0},
    }  # fmt: skip
    full = quotes(shown, "quote", body)
    share, future = (full[segment][str(SHARE_ID)] for segment in ("NSE_EQ", "NSE_FNO"))
    assert share["depth"]["buy"][0] == {"quantity": 900, "orders": 1, "price": 1399.9}
    assert (share["oi"], future["oi"], future["volume"]) == (0, 65_000, 6500)
    assert quotes(shown, "ohlc", body)["NSE_EQ"][str(SHARE_ID)]["ohlc"]["high"] == 1400.0


def test_a_share_without_a_quote_has_the_level_of_its_stock(local):
    assert quotes(local, "ltp", {"NSE_EQ": [SHARE_ID]}) == {
        "NSE_EQ": {str(SHARE_ID): {"last_price": 1400.0}}
    }


def test_the_feed_sends_each_by_its_segment(shown):
    async def talk():
        async with connect(address(shown)) as socket:
            await received(socket)
            await socket.send(ask(21, SHARE_ID, segment="NSE_EQ"))
            await socket.send(ask(21, SHARE_ID))
            await socket.send(ask(17, shown.id_of(FUTURE)))
            first = [p for m in (await received(socket))[0] for p in split(m)]
            shown.market.trade(SHARE, 1401_00, 7000)
            shown.market.trade(FUTURE, 25_060_00, 7000, 70_000)
            shown.push()
            return first, [p for m in (await received(socket))[0] for p in split(m)]

    first, later = run(talk())

    def read(packet):
        code, _, segment, number, last = struct.unpack_from("<BHBIf", packet)
        return code, segment, number, round(last, 2) if code != 5 else None

    index = int(shown.id_of(FUTURE))
    assert sorted(map(read, first)) == [
        (4, 2, index, 25_050.0), (5, 2, index, None), (8, 1, SHARE_ID, 1400.0),
        (8, 2, SHARE_ID, 1405.0),
    ]  # fmt: skip
    assert sorted(map(read, later)) == [
        (4, 2, index, 25_060.0), (5, 2, index, None), (8, 1, SHARE_ID, 1401.0),
    ]  # fmt: skip


def test_the_level_of_a_stock_still_ticks_without_a_quote_of_its_share(local):
    async def talk():
        async with connect(address(local)) as socket:
            await received(socket)
            await socket.send(ask(17, SHARE_ID, segment="NSE_EQ"))
            await received(socket)
            local.market.spots["RELIANCE"] = 1410_00
            local.push()
            return [p for m in (await received(socket))[0] for p in split(m)]

    found = [struct.unpack_from("<BHBIf", packet) for packet in run(talk())]
    assert [(it[0], it[2], it[3], it[4]) for it in found] == [(4, 1, SHARE_ID, 1410.0)]


def test_depth_of_shares_and_futures_is_of_the_segment(shown):
    async def talk():
        async with connect(f"{shown.depth}?token={shown.token}&clientId={shown.client_id}") as it:
            await it.send(ask(23, SHARE_ID, segment="NSE_EQ"))
            await it.send(ask(23, SHARE_ID))
            return (await received(it))[0]

    found = set()
    for message in run(talk()):
        for at in range(0, len(message), 332):
            _, code, segment, number, _ = struct.unpack_from("<hBBiI", message, at)
            found.add((code, segment, number, *struct.unpack_from("<dII", message, at + 12)))
    assert found == {
        (41, 1, SHARE_ID, 1399.9, 900, 1), (51, 1, SHARE_ID, 1400.1, 900, 1),
        (41, 2, SHARE_ID, 1404.9, 5000, 1), (51, 2, SHARE_ID, 1405.1, 5000, 1),
    }  # fmt: skip


def _refused(client, segment, number, product):
    reply = client.place_order(str(number), segment, "BUY", 500, "LIMIT", product, 1300.0)
    return reply["status"], (reply["remarks"] or {}).get("error_code")


@pytest.mark.parametrize(
    ("segment", "number", "product"),
    [
        ("NSE_EQ", SHARE_ID, "MARGIN"),  # carried contracts only
        ("NSE_EQ", SHARE_ID, "MTF"),  # not offered here
        ("NSE_FNO", SHARE_ID, "CNC"),  # delivery is for shares
        ("NSE_FNO", SHARE_ID, "CO"),
        ("NSE_EQ", 35001, "CNC"),  # an option's number
        ("IDX_I", 13, "INTRADAY"),
        ("BSE_EQ", SHARE_ID, "CNC"),
    ],
)
def test_a_wrong_product_or_segment_is_refused(client, shown, segment, number, product):
    assert _refused(client, segment, number, product) == ("failure", "DH-905")
    assert shown.engine.orders() == []
