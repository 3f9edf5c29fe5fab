import asyncio
import json

from edge.daemon import events
from edge.daemon.events import QUEUE_EVENTS, Broadcaster, Subscription, encode


def parse(message):
    name, data, *rest = message.decode().split("\n")
    assert rest == ["", ""]
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def take(reader, count):
    """The next ``count`` messages of a subscription."""

    async def read():
        messages = reader.messages()
        return [parse(await anext(messages)) for _ in range(count)]

    return asyncio.run(read())


def test_an_event_is_one_block_of_text():
    assert encode("now", {"title": "Ü\n"}) == 'event: now\ndata: {"title": "Ü\\n"}\n\n'.encode()


def test_every_reader_gets_every_event_in_order():
    broadcaster = Broadcaster(max_readers=4)
    readers = [broadcaster.subscribe("anna"), broadcaster.subscribe("ben")]
    for number in range(3):
        broadcaster.publish("level", {"n": number})
    for reader in readers:
        assert take(reader, 3) == [("level", {"n": number}) for number in range(3)]


def test_lists_go_to_those_who_follow_their_user():
    broadcaster = Broadcaster(max_readers=4)
    anna, ben = broadcaster.subscribe("anna"), broadcaster.subscribe("ben")
    broadcaster.publish("recommendations", {"user": "anna"}, user="anna")
    broadcaster.publish("now", {})
    assert take(anna, 2) == [("recommendations", {"user": "anna"}), ("now", {})]
    assert take(ben, 1) == [("now", {})]
    assert broadcaster.users() == {"anna", "ben"}


def test_a_slow_reader_loses_the_oldest_and_is_told():
    broadcaster = Broadcaster(max_readers=4)
    reader = broadcaster.subscribe("anna")
    for number in range(QUEUE_EVENTS + 5):
        broadcaster.publish("level", {"n": number})
    first, second = take(reader, 2)
    assert first == ("dropped", {"events": 5})
    assert second == ("level", {"n": 5})
    assert broadcaster.dropped_total == 5


def test_close_ends_every_stream():
    async def scene():
        broadcaster = Broadcaster(max_readers=4)
        reader = broadcaster.subscribe("anna")
        following = asyncio.create_task(drain(reader))
        await asyncio.sleep(0)
        broadcaster.close()
        return await following, broadcaster.readers

    async def drain(reader):
        return [message async for message in reader.messages()]

    assert asyncio.run(scene()) == ([], 0)


def test_a_quiet_stream_is_kept_alive(monkeypatch):
    monkeypatch.setattr(events, "KEEP_ALIVE_S", 0.01)

    async def first():
        return await anext(Subscription("anna").messages())

    assert asyncio.run(first()) == b": nothing new\n\n"


def test_knows_when_it_is_full():
    broadcaster = Broadcaster(max_readers=1)
    assert not broadcaster.full
    reader = broadcaster.subscribe("anna")
    assert broadcaster.full
    broadcaster.unsubscribe(reader)
    assert not broadcaster.full
