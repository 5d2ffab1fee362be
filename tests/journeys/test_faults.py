"""Servers that die under the product: nothing is lost, and it says in a sentence what is wrong meanwhile."""

import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg2
import pytest
import websockets
from django.conf import settings

from core.embedded.crew import Crew
from core.embedded.plan import Plan
from core.embedded.ports import kept_port
from core.embedded.postgres import Postgres
from core.embedded.process import run
from core.embedded.valkey import Valkey
from core.embedded.waiting import wait_until
from tests import builders as b

pytestmark = pytest.mark.faults

# Filled in a process of its own, against the stack's database.
SETUP = """
import django; django.setup()
from tests import builders as b
from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
import json, sys
account = b.an_account()
staff = b.a_person(groups=[b.a_group()])
store = SessionStore()
backend = "accounts.backends.StaffBackend"
store.update({SESSION_KEY: str(staff.pk), BACKEND_SESSION_KEY: backend, HASH_SESSION_KEY: staff.get_session_auth_hash()})
store.create()
print(json.dumps({"account": str(account.public_id), "cookie": store.session_key, "group": b.a_group().pk}))
"""


@dataclass
class Stack:
    """A whole product of its own: PostgreSQL, Valkey, web, worker, beat."""

    plan: Plan
    postgres: Postgres
    valkey: Valkey
    facts: dict
    database: str
    crew: Crew

    def wait_for(self, condition, seconds):
        """Until the condition holds, with the care that `manage.py up` takes of its processes."""
        return wait_until(lambda: bool(self.crew.tend() or condition()), seconds=seconds)

    def post(self, number, chat_id=1):
        headers = {"X-Telegram-Bot-Api-Secret-Token": "demo-secret"}
        body = b.telegram_update(number, chat_id=chat_id, text=f"Сообщение {number}")
        return httpx.post(f"{self.plan.url}/hooks/telegram/{self.facts['account']}/", content=body, headers=headers, timeout=30)

    def count(self, table):
        with psycopg2.connect(self.database) as connection, connection.cursor() as cursor:
            cursor.execute(f"select count(*) from {table}")
            return cursor.fetchone()[0]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    home = tmp_path_factory.mktemp("stack")
    os.chmod(home, 0o755)
    postgres, valkey = Postgres(home, throwaway=True), Valkey(home, throwaway=True)
    crew = Crew(print)
    try:
        database, redis_url = postgres.start(), valkey.start()
        environment = {
            **{name: value for name, value in os.environ.items() if name != "BROKER_URL"},
            "DATABASE_URL": database,
            "REDIS_URL": redis_url,
            "VAR_DIR": str(home),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
        }
        plan = Plan(checkout=Path(settings.BASE_DIR), var=home, environment=environment, port=kept_port("web", home / "ports.json"))
        run(plan.command("migrate", "--verbosity", "0"))
        facts = plan._python("setup", "-c", SETUP)
        run(facts)
        found = json.loads(facts.log.read_text().strip().splitlines()[-1])
        crew.start((plan.worker(), plan.beat(), plan.web()))
        assert wait_until(lambda: _answers(plan.url), seconds=40), [child.last_lines(20) for child in crew.children]
        yield Stack(plan, postgres, valkey, found, database, crew)
    finally:
        for child in reversed(crew.children):
            child.stop()
        valkey.stop()
        postgres.stop()
        postgres.discard()


def _answers(url):
    try:
        return httpx.get(f"{url}/healthz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_a_stopped_and_emptied_redis_loses_nothing(stack):
    before = stack.count("omni_message")
    assert stack.post(1).status_code == 200
    assert stack.wait_for(lambda: stack.count("omni_message") == before + 1, seconds=30)
    stack.valkey.stop()
    statuses = {stack.post(number).status_code for number in range(2, 12)}
    assert statuses == {200}, "an event is stored although nobody can be called"
    page = httpx.get(f"{stack.plan.url}/desk/", timeout=30, cookies={"sessionid": stack.facts["cookie"]})
    assert page.status_code == 200, "who is signed in goes on working, only without live events"
    assert httpx.get(f"{stack.plan.url}/healthz", timeout=15).json() == {"ok": True, "database": True, "redis": False}
    stack.valkey.start()  # throwaway: it comes back empty, on the same port
    assert stack.wait_for(lambda: stack.count("omni_message") == before + 11, seconds=60), "the sweeps find what the queue forgot"
    assert stack.wait_for(lambda: stack.count("core_liveevent") == 0, seconds=30), "live events waited and went out"


async def _hello(stack, position):
    url = stack.plan.url.replace("http", "ws") + "/desk/socket/"
    headers = {"Cookie": f"sessionid={stack.facts['cookie']}", "Origin": stack.plan.url}
    socket = await websockets.connect(url, additional_headers=headers)
    await socket.send(json.dumps({"type": "hello", **position}))
    return socket


def test_live_updates_come_back_after_redis_was_emptied(stack):
    async def scenario():
        socket = await _hello(stack, {})
        first = await _frame(socket, "ready", "resync", "welcome", "hello")
        await socket.send(json.dumps({"type": "watch", "topics": [f"group:{stack.facts['group']}"]}))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(stack.post, 101, 7)
        event = await _frame(socket, "event")
        assert event["kind"] == "item"
        stack.valkey.stop()
        await asyncio.to_thread(stack.post, 102, 7)
        stack.valkey.start()  # not in a thread: the server would end with it
        # Either the socket survived and is told to reload, or it was closed and a new one with the old position is.
        try:
            await _frame(socket, "resync", seconds=45)
        except websockets.ConnectionClosed:
            again = await _hello(stack, {"epoch": first.get("epoch"), "last": event["number"]})
            await _frame(again, "resync", seconds=45)

    asyncio.run(scenario())


async def _frame(socket, *kinds, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        frame = json.loads(await asyncio.wait_for(socket.recv(), deadline - time.monotonic()))
        if frame["type"] in kinds:
            return frame
    raise AssertionError(f"no frame {kinds}")


def test_a_restarted_postgres_is_503_with_a_sentence_and_then_recovers(stack):
    stack.postgres.stop()
    down = stack.post(201)
    assert down.status_code == 503
    assert down.json()["code"] == "unavailable"
    assert down.json()["message"]
    page = httpx.get(f"{stack.plan.url}/sign-in/", timeout=30, cookies={"sessionid": stack.facts["cookie"]})
    assert page.status_code == 503
    assert page.headers["Retry-After"]
    stack.postgres.start()
    assert stack.wait_for(lambda: stack.post(201).status_code == 200, seconds=40), "the provider repeats and is heard"
    assert stack.wait_for(lambda: stack.count("omni_inboundevent where state = 'received'") == 0, seconds=60)
