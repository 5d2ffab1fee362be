"""What the tests of all exchanges do: an account with an operator's telephone, a call from the exchange's mouth to the feed."""

import random
from datetime import timedelta

from django.utils import timezone

from customers.models import Guest
from omni.models import Call, Extension, InboundEvent, Message, Session
from omni.states import EventState, SessionState
from tests import builders as b
from tests.channel_checks import process_all
from tests.providers.exchanges import Scene


def an_exchange(kind, settings=None, **secrets):
    """An account with Anna Ivanova at telephone 101."""
    account = b.an_account(kind, settings=settings, **secrets)
    operator = b.a_person(groups=[b.a_group()])
    Extension.objects.create(account=account, number="101", staff=operator)
    return account, operator


def play(client, account, server, scene, *, twice=False, seed=None):
    """Post a call's events through the product's own view and understand them; the statuses."""
    posts = list(server.posts(scene))
    posts = [post for post in posts for _ in range(2 if twice else 1)]
    if seed is not None:
        random.Random(seed).shuffle(posts)
    statuses = []
    for post in posts:
        headers = {name: value for name, value in post.headers.items() if name != "Content-Type"}
        address = f"/hooks/{account.kind}/{account.public_id}/{post.tail}"
        answer = client.post(address, data=post.body, content_type=post.headers["Content-Type"], headers=headers)
        statuses.append(answer.status_code)
        process_all(timezone.now() + timedelta(minutes=1))
    assert not InboundEvent.objects.exclude(state__in=[EventState.PROCESSED, EventState.IGNORED]).exists(), [
        (event.state, event.reason) for event in InboundEvent.objects.all()
    ]
    return statuses


def the_calls_of_a_day(client, account, operator, server, *, seed=None, twice=False):
    """A missed call, a call back, a call that is taken, one without a number: the feed and the dialogue after each."""
    began = timezone.now().timestamp() - 240

    def call(outcome, second, number="79001112233"):
        play(client, account, server, Scene(number=number, outcome=outcome, began=began + second), twice=twice, seed=seed)

    call("missed", 0)
    session = Session.objects.get()
    assert Guest.objects.get().phone == "+79001112233"
    assert (session.state, bool(session.waiting_since), session.unread) == (SessionState.WAITING, True, 1)
    assert Message.objects.get().text.startswith("Пропущенный звонок")
    call("outgoing", 60)
    session.refresh_from_db()
    assert (session.waiting_since, session.owner) == (None, operator)
    assert Message.objects.latest("pk").text.startswith("Исходящий звонок: состоялся, Анна Иванова (101)")
    call("answered", 120)
    assert Message.objects.latest("pk").text.startswith("Звонок: принят, Анна Иванова (101)")
    assert "длительность 0:12" in Message.objects.latest("pk").text
    assert (Guest.objects.count(), Session.objects.count(), Message.objects.count(), Call.objects.count()) == (1, 1, 3, 3)
    call("missed", 180, number="")
    assert (Guest.objects.count(), Session.objects.filter(state=SessionState.WAITING).count()) == (2, 1)
