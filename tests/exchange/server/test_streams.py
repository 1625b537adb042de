"""Sockets: who is let in, how much they may ask, how they end, what the bytes are."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from strikeloom.exchange.server.clients import Client
from support.local_exchange import local_exchange

SIZES = {2: 16, 4: 50, 5: 12, 6: 16, 7: 8, 8: 162, 50: 10}


def address(local, token=None, client=None):
    who = f"token={local.token if token is None else token}&clientId={client or local.client_id}"
    return f"{local.feed}?version=2&{who}&authType=2"


def ask(code, *ids, segment="NSE_FNO"):
    rows = [{"ExchangeSegment": segment, "SecurityId": str(one)} for one in ids]
    return json.dumps({"RequestCode": code, "InstrumentCount": len(rows), "InstrumentList": rows})


async def received(socket, seconds=0.3, *, some=True, closing=False):
    """All that arrives until it is quiet, and whether the socket was closed.

    ``some``: something must come, ``closing``: the end must, be the machine ever so slow.
    """
    found = []
    try:
        while True:
            wait = 8.0 if closing or (some and not found) else seconds
            found.append(await asyncio.wait_for(socket.recv(), wait))
    except TimeoutError:
        return found, False
    except ConnectionClosed:
        return found, True


def split(message):
    """Packets of a message, by the length that each states."""
    found = []
    while message:
        code, length = struct.unpack_from("<BH", message)
        assert length == SIZES[code]
        found.append(message[:length])
        message = message[length:]
    return found


def run(work):
    return asyncio.run(asyncio.wait_for(work, 20))


@pytest.mark.parametrize(("code", "kinds"), [(15, {2: 16}), (17, {4: 50, 5: 12}), (21, {8: 162})])
def test_each_mode_has_its_packets(local, call, code, kinds):
    async def work():
        async with connect(address(local)) as socket:
            await socket.send(ask(code, local.id_of(call)))
            return (await received(socket))[0]

    found = {m[0]: len(m) for m in run(work()) if m[0] != 7}
    assert found == kinds


def test_each_packet_carries_the_price_as_shown(local, call):
    number = int(local.id_of(call))

    async def work():
        async with connect(address(local)) as socket:
            await socket.send(ask(21, number))
            return (await received(socket))[0]

    (packet,) = [m for m in run(work()) if m[0] == 8]
    head = struct.unpack_from("<BHBIfHIfIIIIIIffff", packet)
    assert head[:4] == (8, 162, 2, number)
    assert head[4] == pytest.approx(100.50)
    # last trade time: Indian wall clock as if UTC, 10:00 on 11 February 2026
    assert head[6] == 1_770_804_000
    assert head[8] == 6500
    assert head[11] == 65_000
    level = struct.unpack_from("<IIHHff", packet, 62)
    assert level == (650, 650, 1, 1, pytest.approx(100.0), pytest.approx(101.0))


def test_open_interest_is_sent_with_a_quote_when_it_changed(local, call):
    async def work():
        found = []
        async with connect(address(local)) as socket:
            await socket.send(ask(17, local.id_of(call)))
            await received(socket)
            for volume, interest in ((7000, 65_000), (7065, 65_650), (7130, 65_650)):
                local.market.trade(call, 120_00, volume, interest)
                local.push()
                found.append([m[0] for m in (await received(socket))[0]])
        return found

    assert run(work()) == [[4], [4, 5], [4]]


def test_unsubscribed_is_silent(local, call):
    async def work():
        async with connect(address(local)) as socket:
            await socket.send(ask(17, local.id_of(call)))
            await received(socket)
            await socket.send(ask(18, local.id_of(call)))
            await received(socket, 0.1, some=False)
            local.market.trade(call, 110_00, 9000)
            local.push()
            return (await received(socket, some=False))[0]

    assert run(work()) == []


def test_stacked_packets_fill_one_message(local, call):
    for row in local.market.listed[:8]:
        local.market.show(row.instrument, 10_00, 11_00)
    local.fault("stacked", on="feed")

    async def work():
        async with connect(address(local)) as socket:
            await socket.send(ask(17, *(row.security_id for row in local.market.listed[:8])))
            return (await received(socket))[0]

    messages = [m for m in run(work()) if m[0] != 7]
    stacked = [split(m) for m in messages]
    assert sum(map(len, stacked)) == 16, "a quote and an open interest of each of eight"
    assert max(map(len, stacked)) > 2


def test_what_moved_before_another_subscribes_is_still_sent(local, call):
    """A newcomer takes nothing from those who were there."""
    other = local.market.listed[3]

    async def work():
        async with connect(address(local)) as first, connect(address(local)) as second:
            await first.send(ask(15, local.id_of(call)))
            await received(first)
            local.market.trade(call, 123_00, 7000)
            await second.send(ask(15, other.security_id))
            await received(second)
            local.push()
            return (await received(first))[0]

    (message,) = run(work())
    assert struct.unpack_from("<f", message, 8)[0] == 123.0


@pytest.mark.parametrize(
    ("token", "client", "reason"),
    [("wrong", None, 809), ("", None, 808), ("local", "999", 810), ("local", "dead", 807)],
)
def test_a_refused_connection_gets_the_reason(local, token, client, reason):
    if client == "dead":
        local.exchange.tokens.end(local.client_id)
        client = None

    async def work():
        async with connect(address(local, token, client)) as socket:
            return await received(socket, closing=True)

    messages, closed = run(work())
    assert closed
    assert struct.unpack("<BHBIH", messages[-1]) == (50, 10, 0, 0, reason)


def test_without_the_data_plan_there_is_no_feed(tmp_path):
    poor = (Client("2000000002", "t", data_plan=False),)

    async def work(local):
        async with connect(address(local)) as socket:
            return await received(socket, closing=True)

    with local_exchange(tmp_path, clients=poor) as local:
        messages, closed = run(work(local))
    assert closed
    assert messages[-1][-2:] == struct.pack("<H", 806)


def test_a_token_that_dies_ends_the_feed_with_807(local):
    async def work():
        async with connect(address(local)) as socket:
            await received(socket, 0.1)
            local.exchange.tokens.end(local.client_id)
            local.server.check_connections()
            return await received(socket, closing=True)

    messages, closed = run(work())
    assert closed
    assert messages[-1][-2:] == struct.pack("<H", 807)


def test_the_sixth_connection_drops_the_first_with_805(local):
    async def work():
        async with contextlib.AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(connect(address(local))) for _ in range(6)]
            first = await received(sockets[0], closing=True)
            last = await received(sockets[5])
            return first, last

    (messages, closed), (_, open_still_closed) = run(work())
    assert closed
    assert messages[-1][-2:] == struct.pack("<H", 805)
    assert not open_still_closed


@pytest.mark.parametrize("count", [100, 101])
def test_a_hundred_instruments_a_message(local, count):
    async def work():
        async with connect(address(local)) as socket:
            await socket.send(ask(15, *range(40_000, 40_000 + count)))
            return await received(socket, closing=count > 100)

    messages, closed = run(work())
    assert closed == (count > 100)
    if closed:
        assert messages[-1][-2:] == struct.pack("<H", 804)


@pytest.mark.parametrize("count", [5000, 5001])
def test_five_thousand_instruments_a_connection(local, count):
    async def work():
        async with connect(address(local)) as socket:
            for start in range(0, count, 100):
                ids = range(1_000_000 + start, 1_000_000 + min(start + 100, count))
                with contextlib.suppress(ConnectionClosed):
                    await socket.send(ask(15, *ids))
            return await received(socket, closing=count > 5000)

    messages, closed = run(work())
    assert closed == (count > 5000)
    if closed:
        assert messages[-1][-2:] == struct.pack("<H", 804)


def test_a_feed_is_reset_without_a_word(local):
    async def work():
        async with connect(address(local)) as socket:
            await received(socket, 0.1)
            local.fault("stream-reset", on="feed", times=1)
            local.server.check_connections()
            return await received(socket, closing=True)

    messages, closed = run(work())
    assert closed
    assert all(m[0] != 50 for m in messages)


def test_a_feed_that_stalls_stays_open_and_goes_on_with_the_latest(local, call):
    async def work():
        async with connect(address(local)) as socket:
            await socket.send(ask(15, local.id_of(call)))
            await received(socket)
            local.fault("stream-stall", on="feed", times=1, seconds=30)
            local.server.check_connections()
            for last in (111_00, 112_00, 113_00):
                local.market.trade(call, last, 9000 + last)
                local.push()
            quiet, closed = await received(socket, some=False)
            local.pace.seconds += 31
            return quiet, closed, (await received(socket))[0]

    quiet, closed, after = run(work())
    assert (quiet, closed) == ([], False)
    assert [struct.unpack_from("<f", m, 8)[0] for m in after] == [113.0]
    assert local.server.feed.conflated == 2, "what was overtaken is counted"


def test_a_silent_client_is_dropped_and_a_living_one_is_not(local):
    async def work():
        async with connect(address(local)) as socket:
            while not local.server.feed.connections:
                await asyncio.sleep(0.01)
            (ours,) = local.server.feed.connections
            for _ in range(6):
                local.pace.seconds += 10
                local.server.check_connections()
                while ours.socket.last_seen < local.pace.seconds:
                    await asyncio.sleep(0.01)  # until the client has answered the ping
            alive = (await received(socket, 0.1))[1]
            local.pace.seconds += 41
            local.server.check_connections()
            return alive, (await received(socket, closing=True))[1]

    assert run(work()) == (False, True)


def test_too_many_connects_are_answered_429(local):
    local.fault("too-many", on="feed", times=1)

    async def work():
        with pytest.raises(InvalidStatus) as refused:
            await connect(address(local))
        async with connect(address(local)):
            return refused.value.response.status_code

    assert run(work()) == 429


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "{}", '{"RequestCode": "a"}', "null"])
def test_nonsense_ends_in_a_reason_never_in_silence(local, text):
    async def work():
        async with connect(address(local)) as socket:
            await socket.send(text)
            return await received(socket, closing=True)

    messages, closed = run(work())
    assert closed
    assert messages[-1][0] == 50


def test_a_binary_frame_of_the_old_protocol_means_nothing(local, call):
    async def work():
        async with connect(address(local)) as socket:
            await socket.send(b"\x0c" + bytes(82))
            await socket.send(ask(15, local.id_of(call)))
            return await received(socket)

    messages, closed = run(work())
    assert not closed
    assert any(m[0] == 2 for m in messages)


def login(local, token=None):
    body = {"MsgCode": 42, "ClientId": local.client_id, "Token": token or local.token}
    return json.dumps({"LoginReq": body, "UserType": "SELF"})


def updates(local, call, prices):
    """Messages of the order-update stream while orders are placed."""

    async def work():
        async with connect(local.orders_ws) as socket:
            await socket.send(login(local))
            while not local.server.state()["order_updates"]:
                await asyncio.sleep(0.01)
            for at, price in enumerate(prices):
                await asyncio.to_thread(_place, local, call, at, price)
            return [json.loads(m)["Data"] for m in (await received(socket))[0]]

    return run(work())


def _place(local, call, at, price):
    import requests

    body = {
        "transactionType": "BUY", "exchangeSegment": "NSE_FNO", "productType": "MARGIN",
        "orderType": "LIMIT", "validity": "DAY", "securityId": local.id_of(call),
        "quantity": 65, "price": price, "correlationId": f"u-{at}",
    }  # fmt: skip
    headers = {"access-token": local.token, "client-id": local.client_id}
    requests.post(f"{local.rest}/orders", json=body, headers=headers, timeout=5)


def test_every_change_of_an_order_is_sent_in_order(local, call):
    messages = updates(local, call, [101.0, 90.0])
    first = [m["status"] for m in messages if m["correlationId"] == "u-0"]
    assert first[-1] == "Traded"
    assert [m["status"] for m in messages if m["correlationId"] == "u-1"][-1] == "Pending"
    quantities = [m["tradedQty"] for m in messages if m["correlationId"] == "u-0"]
    assert quantities == sorted(quantities)


def test_updates_are_dropped_repeated_and_swapped(local, call):
    plain = updates(local, call, [101.0])
    local.fault("update-dropped", on="orders-ws", times=1)
    dropped = updates(local, call, [101.0])
    local.faults.switch_off()
    local.fault("update-twice", on="orders-ws", times=1)
    twice = updates(local, call, [101.0])
    local.faults.switch_off()
    local.fault("update-swapped", on="orders-ws", times=1)
    swapped = updates(local, call, [101.0])

    def statuses(messages):
        return [m["status"] for m in messages]

    assert statuses(dropped) == statuses(plain)[1:]
    assert statuses(twice) == [statuses(plain)[0], *statuses(plain)]
    assert statuses(swapped) == [statuses(plain)[1], statuses(plain)[0], *statuses(plain)[2:]]


def test_updates_as_the_documentation_spells_them(local, call):
    local.fault("update-pascal", on="orders-ws")
    messages = updates(local, call, [101.0])
    assert {"OrderNo", "Status", "TradedQty", "AvgTradedPrice", "CorrelationId"} <= set(
        messages[-1]
    )
    assert messages[-1]["Status"] == "Traded"


def test_a_token_that_dies_by_a_switch_ends_all(local):
    async def work():
        async with connect(address(local)) as socket:
            await received(socket, 0.1)
            local.fault("token-dies", times=1)
            local.server.check_connections()
            return await received(socket, closing=True)

    messages, closed = run(work())
    assert closed
    assert messages[-1][-2:] == struct.pack("<H", 807)


@pytest.mark.parametrize("message", ["{", "[]", "{}", '{"LoginReq": {"MsgCode": 42}}', "wrong"])
def test_a_wrong_login_of_order_updates_is_a_bare_reset(local, message):
    async def work():
        async with connect(local.orders_ws) as socket:
            await socket.send(login(local, "guess") if message == "wrong" else message)
            with pytest.raises(ConnectionClosed) as ended:
                await asyncio.wait_for(socket.recv(), 5)
            return ended.value.rcvd

    assert run(work()) is None, "no closing word was received"


def test_a_dead_token_resets_the_order_updates(local):
    async def work():
        async with connect(local.orders_ws) as socket:
            await socket.send(login(local))
            while not local.server.state()["order_updates"]:
                await asyncio.sleep(0.01)
            local.exchange.tokens.end(local.client_id)
            local.server.check_connections()
            return await received(socket, closing=True)

    assert run(work())[1]


def test_depth_is_twenty_levels_a_side_and_no_more_than_fifty_securities(local, call):
    where = f"{local.depth}?token={local.token}&clientId={local.client_id}&authType=2"

    async def work():
        async with connect(where) as socket:
            await socket.send(ask(23, local.id_of(call)))
            (message,), _ = await received(socket)
            await socket.send(ask(23, *(row.security_id for row in local.market.listed[:51])))
            return message, await received(socket, closing=True)

    message, (farewell, closed) = run(work())
    assert len(message) == 2 * 332
    assert [struct.unpack_from("<hBBi", message, at)[:4] for at in (0, 332)] == [
        (332, 41, 2, int(local.id_of(call))), (332, 51, 2, int(local.id_of(call))),
    ]  # fmt: skip
    assert struct.unpack_from("<dII", message, 12) == (100.0, 650, 1)
    assert struct.unpack_from("<dII", message, 344) == (101.0, 650, 1)
    assert closed
    assert farewell[-1][-2:] == struct.pack("<H", 804)
