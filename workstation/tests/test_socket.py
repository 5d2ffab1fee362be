"""The desk's socket over the real server: numbered, gap-free, closed to strangers."""

import asyncio
import json
from datetime import timedelta

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from redis import RedisError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from accounts.rights import Right
from core.embedded.waiting import wait_until
from core.live import announce, staff_topic, stand_by
from core.redis import client
from omni.models import Presence
from tests import builders as b
from workstation.services import presence
from workstation.tests.conftest import BACKEND

pytestmark = pytest.mark.django_db(transaction=True)


def cookie_of(staff):
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(staff.pk), BACKEND
    session[HASH_SESSION_KEY] = staff.get_session_auth_hash()
    session.save()
    return session.session_key


class Screen:
    """A screen's end of the socket."""

    def __init__(self, product, cookie, position=None):
        self.address = f"{product.ws_url}/desk/socket/"
        self.headers = {"Cookie": f"sessionid={cookie}", "Origin": product.url}
        self.position = position

    async def __aenter__(self):
        self.wire = await connect(self.address, additional_headers=self.headers)
        return self

    async def __aexit__(self, *_fault):
        await self.wire.close()

    async def say(self, **frame):
        await self.wire.send(json.dumps(frame))

    async def hear(self, seconds=5):
        return json.loads(await asyncio.wait_for(self.wire.recv(), seconds))

    async def hear_until(self, kind):
        """Frames up to the first of a type, that one included."""
        frames = []
        while not frames or frames[-1]["type"] != kind:
            frames.append(await self.hear())
        return frames

    async def hello(self):
        await self.say(type="hello", epoch=self.position and self.position.epoch, last=self.position and self.position.number)
        return await self.hear_until("welcome")


def run(coroutine):
    return asyncio.run(coroutine)


async def in_thread(call, *arguments, **named):
    return await asyncio.get_running_loop().run_in_executor(None, lambda: _closing(call, *arguments, **named))


def _closing(call, *arguments, **named):
    from django.db import connections

    try:
        return call(*arguments, **named)
    finally:
        connections.close_all()


def tell(staff, *numbers):
    for number in numbers:
        announce(kind="item", payload={"n": number}, topics=[staff_topic(staff.pk)])


@pytest.mark.parametrize(("who", "code"), [("nobody", 4401), ("no rights", 4403)])
def test_strangers_are_refused_with_a_code(live_product, who, code):
    cookie = "none"
    if who == "no rights":
        cookie = cookie_of(b.a_person("orlova", role=b.a_role("reports", rights=[Right.REPORTS])))

    async def knock():
        async with Screen(live_product, cookie) as screen:
            await screen.hear()

    with pytest.raises(ConnectionClosed) as closed:
        run(knock())
    assert closed.value.rcvd.code == code


def test_events_come_in_order_with_their_numbers(live_product):
    staff = b.a_person(groups=[b.a_group()])
    position, cookie = stand_by(staff.pk, []), cookie_of(staff)

    async def listen():
        async with Screen(live_product, cookie, position) as screen:
            await screen.hello()
            await in_thread(tell, staff, *range(30))
            return [await screen.hear() for _ in range(30)]

    frames = run(listen())
    assert [frame["data"]["n"] for frame in frames] == list(range(30))
    numbers = [frame["number"] for frame in frames]
    assert numbers == list(range(position.number + 1, position.number + 31))


def test_what_was_missed_is_replayed_and_nothing_twice(live_product):
    staff = b.a_person(groups=[b.a_group()])
    position, cookie = stand_by(staff.pk, []), cookie_of(staff)

    async def come_back():
        async with Screen(live_product, cookie, position) as screen:
            await screen.hello()
            await in_thread(tell, staff, 1, 2)
            first = [await screen.hear() for _ in range(2)]
        await in_thread(tell, staff, 3, 4, 5)
        last = type(position)(position.epoch, first[-1]["number"])
        async with Screen(live_product, cookie, last) as screen:
            await screen.hello()
            await in_thread(tell, staff, 6)
            return first + [await screen.hear() for _ in range(4)]

    assert [frame["data"]["n"] for frame in run(come_back())] == [1, 2, 3, 4, 5, 6]


def test_an_emptied_redis_asks_for_everything_anew(live_product):
    staff = b.a_person(groups=[b.a_group()])
    position, cookie = stand_by(staff.pk, []), cookie_of(staff)
    client().flushdb()

    async def come_back():
        async with Screen(live_product, cookie_again, position) as screen:
            await screen.hello()
            resync = await screen.hear()
            await in_thread(tell, staff, 7)
            return resync, await screen.hear()

    cookie_again = cookie
    resync, event = run(come_back())
    assert resync["type"] == "resync"
    assert resync["epoch"] != position.epoch
    assert (event["data"]["n"], event["number"]) == (7, resync["number"] + 1)


def test_an_event_is_found_without_its_wake(live_product):
    """A lost PUBLISH delays an event, it loses none: any later reading of the log finds it."""
    staff = b.a_person(groups=[b.a_group()])
    position, cookie = stand_by(staff.pk, []), cookie_of(staff)

    async def listen():
        async with Screen(live_product, cookie, position) as screen:
            await screen.hello()
            # As the publisher does, in one step, only without its PUBLISH.
            step = client().pipeline(transaction=True)
            step.set(f"live:number:{staff.pk}", position.number + 1)
            step.xadd(f"live:log:{staff.pk}", {"e": json.dumps({"kind": "item", "data": {"n": 1}})}, id=f"0-{position.number + 1}")
            step.execute()
            await screen.say(type="watch", topics=[])
            return await screen.hear()

    assert run(listen())["data"] == {"n": 1}


def test_only_allowed_topics_are_heard(live_product, write):
    session = write()
    staff, stranger = b.a_person(groups=[b.a_group()]), b.a_person("sidorov", groups=[b.a_group("quality")])
    topics = [f"guest:{session.guest_id}", f"group:{b.a_group().pk}", "presence", "nonsense", "guest:x", f"item:session:{session.pk}"]

    async def listen(cookie):
        async with Screen(live_product, cookie) as screen:
            await screen.hello()
            await screen.say(type="watch", topics=topics)
            await screen.say(type="ping")
            await screen.hear_until("pong")
            await in_thread(announce, kind="message", payload={"secret": 1}, topics=[topics[0]])
            await in_thread(announce, kind="presence", payload={"secret": 2}, topics=["presence"])
            await screen.say(type="watch", topics=[])  # reads the log before the pong
            await screen.say(type="ping")
            return [frame for frame in await screen.hear_until("pong") if frame["type"] == "event"]

    assert [event["data"] for event in run(listen(cookie_of(staff)))] == [{"secret": 1}]
    assert run(listen(cookie_of(stranger))) == []


def test_colleagues_see_each_other_and_who_types(live_product, write):
    session = write()
    anna, petr = b.a_person(groups=[b.a_group()]), b.a_person("petrov", "Пётр Петров", groups=[b.a_group()])
    cookies = [cookie_of(person) for person in (anna, petr)]
    guest = session.guest_id

    async def together():
        async with Screen(live_product, cookies[0]) as first, Screen(live_product, cookies[1]) as second:
            for screen in (first, second):
                await screen.hello()
                await screen.say(type="watch", topics=[f"guest:{guest}"])
            await first.say(type="viewing", guest_id=guest)
            await first.say(type="ping")
            await first.hear_until("pong")
            await second.say(type="viewing", guest_id=guest)
            seen_by_first = (await first.hear_until("ephemeral"))[-1]
            seen_by_second = (await second.hear_until("ephemeral"))[-1]
            await second.say(type="typing", guest_id=guest, state="on")
            while (typing := (await first.hear_until("ephemeral"))[-1])["kind"] == "viewing":
                pass
            return seen_by_first, seen_by_second, typing

    first, second, typing = run(together())
    assert (first["kind"], first["name"]) == ("viewing", "Пётр Петров")
    assert (second["kind"], second["staff_id"]) == ("viewing", anna.pk)
    assert (typing["kind"], typing["staff_id"], typing["state"]) == ("typing", petr.pk, "on")


def test_a_screen_is_a_sign_of_life(live_product):
    staff = b.a_person(groups=[b.a_group()])
    long_ago = timezone.now() - timedelta(minutes=30)
    b.go_on_line(staff, now=long_ago)
    cookie = cookie_of(staff)

    async def greet():
        async with Screen(live_product, cookie) as screen:
            await screen.hello()

    run(greet())
    assert Presence.objects.get(staff=staff).seen_at > long_ago


NONSENSE = [
    "{",
    "[]",
    "null",
    "7",
    '{"type": 5}',
    '{"type": "watch", "topics": 7}',
    '{"type": "typing"}',
    '{"type": "viewing", "guest_id": [1]}',
]


def test_a_frame_of_nonsense_breaks_nothing(live_product):
    cookie = cookie_of(b.a_person(groups=[b.a_group()]))

    async def babble():
        async with Screen(live_product, cookie) as screen:
            await screen.hello()
            for frame in (
                "{",
                "[]",
                "null",
                "7",
                '{"type": 5}',
                '{"type": "watch", "topics": 7}',
                '{"type": "typing"}',
                '{"type":"viewing","guest_id":[1]}',
            ):
                await screen.wire.send(frame)
            await screen.wire.send(b"\x00\xff")
            await screen.say(type="ping")
            return (await screen.hear_until("pong"))[-1]

    assert run(babble())["type"] == "pong"


def test_rights_that_are_taken_end_a_watch_that_runs(live_product, write, monkeypatch):
    """A socket lives for a whole shift; a person moved to another group in the middle hears no more of the first."""
    monkeypatch.setattr("workstation.consumers.HEARTBEAT_SECONDS", 0.1)
    session, group = write(), b.a_group()
    staff = b.a_person(groups=[group])
    cookie, guest = cookie_of(staff), f"guest:{session.guest_id}"

    def is_watched(topic):
        return client().zscore(f"live:watch:{topic}", str(staff.pk)) is not None

    async def listen():
        async with Screen(live_product, cookie, stand_by(staff.pk, [])) as screen:
            await screen.hello()
            await screen.say(type="watch", topics=[guest])
            await screen.say(type="ping")
            await screen.hear_until("pong")
            assert await in_thread(lambda: is_watched(guest) and is_watched(f"group:{group.pk}"))
            await in_thread(staff.memberships.all().delete)
            gone = await in_thread(wait_until, lambda: not is_watched(guest) and not is_watched(f"group:{group.pk}"), seconds=10)
            await screen.say(type="watch", topics=[guest])
            await screen.say(type="ping")
            await screen.hear_until("pong")
            return gone, await in_thread(is_watched, guest)

    assert run(listen()) == (True, False)


def test_a_watch_asks_for_the_rights_of_this_moment(live_product, write):
    session = write()
    staff = b.a_person(groups=[b.a_group()])
    cookie = cookie_of(staff)

    async def listen():
        async with Screen(live_product, cookie) as screen:
            await screen.hello()
            await in_thread(staff.memberships.all().delete)
            await screen.say(type="watch", topics=[f"guest:{session.guest_id}"])
            await screen.say(type="ping")
            await screen.hear_until("pong")

    run(listen())
    assert client().zscore(f"live:watch:guest:{session.guest_id}", str(staff.pk)) is None


@pytest.mark.parametrize("fault", [RedisError, OperationalError, InterfaceError])
def test_a_heartbeat_survives_servers_that_are_away(live_product, monkeypatch, fault):
    """Whatever fails in one beat, the next one finds what no wake told of."""
    monkeypatch.setattr("workstation.consumers.HEARTBEAT_SECONDS", 0.1)
    staff = b.a_person(groups=[b.a_group()])
    position, cookie, beats = stand_by(staff.pk, []), cookie_of(staff), []
    real = presence.sign_of_life

    def failing(**named):
        beats.append(1)
        if 1 < len(beats) < 4:
            raise fault("away")
        return real(**named)

    monkeypatch.setattr(presence, "sign_of_life", failing)

    async def listen():
        async with Screen(live_product, cookie, position) as screen:
            await screen.hello()
            assert await in_thread(wait_until, lambda: len(beats) >= 6, seconds=10)

    run(listen())
