"""An operator on a loaded base: who looks, at what, and how many queries that takes."""

import json
import random
import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiToken, Group, Membership, Role, Staff
from accounts.tokens import new_token
from customers.models import Identity
from omni.models import ChannelAccount, Message
from tests import builders as b
from tickets import search
from tickets.models import Case, Topic
from tickets.selectors import list_topics
from tickets.services import asked
from worklist.models import Item
from worklist.states import ItemState, Kind

GROUPS = 3
ITEMS = 300
# Inflected forms; those that the base's texts hold in whatever form are asked for.
WORDS = (
    "просроченного", "кефира", "ценником", "кассиров", "баллами", "доставкой", "курьеру", "чеков", "возвратом", "магазинами",
    "творога", "скидок", "упаковками", "очередей", "овощами", "картой", "хлебом", "вежливостью", "хамства", "заказам",
)  # fmt: skip


def signed_in(login: str, *, groups: Sequence[Group], role: Role) -> tuple[Staff, str]:
    """A person with a session; its key is the cookie's value."""
    staff, made = Staff.objects.get_or_create(login=login, defaults={"full_name": f"Оператор {login}", "password": "!"})
    if made:
        staff.roles.add(role)
        Membership.objects.bulk_create(Membership(staff=staff, group=group) for group in groups)
    store = SessionStore()
    backend = "accounts.backends.StaffBackend"
    store.update({SESSION_KEY: str(staff.pk), BACKEND_SESSION_KEY: backend, HASH_SESSION_KEY: staff.get_session_auth_hash()})
    store.create()
    return staff, str(store.session_key)


def facts() -> dict[str, Any]:
    """Who asks for what: cookie, token, items, words that are found, guests and a topic for new tickets."""
    busiest = Item.objects.waiting().values("group_id").annotate(number=Count("pk")).order_by("-number", "group_id")[:GROUPS]
    groups = list(Group.objects.filter(pk__in=[row["group_id"] for row in busiest]))
    staff, cookie = signed_in("bench", groups=groups, role=b.a_role("bench"))
    token, digest = new_token()
    ApiToken.objects.create(name="bench", staff=staff, digest=digest)
    cases = Item.objects.open().visible_to(staff).filter(kind=Kind.CASE).order_by("-last_at")
    return {
        "cookie": cookie,
        "token": token,
        "login": staff.login,
        "cases": list(cases.values_list("subject_id", flat=True)[:ITEMS]),
        "words": [word for word in WORDS if _is_found(staff, word)],
        "guests": _guests(),
        "topic": _topic(),
        "totals": {"cases": Case.objects.count(), "messages": Message.objects.count(), "queue": _queue(groups)},
    }


def _queue(groups: Sequence[Group]) -> int:
    return Item.objects.filter(group__in=groups, state=ItemState.WAITING).count()


def _topic() -> str:
    """A topic for which neither a store nor anything else need be named."""
    free = [topic.id for topic in list_topics() if not topic.store_required]
    asked_for = asked.specs_of_all(free)
    chosen = next(pk for pk in free if not any(spec.is_required for spec in asked_for.get(pk, ())))
    return Topic.objects.values_list("code", flat=True).get(pk=chosen)


def _is_found(staff: Staff, word: str) -> bool:
    return bool(search.search(staff=staff, words=word).hits)


def _guests() -> list[dict[str, str]]:
    """Identities in enabled accounts, from all over the base."""
    scopes = [str(pk) for pk in ChannelAccount.objects.filter(state="enabled").values_list("public_id", flat=True)]
    top = Identity.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    chosen = random.Random(uuid.uuid4().int).sample(range(1, top + 1), min(top, 6000))
    found = Identity.objects.filter(pk__in=chosen, scope__in=scopes).values_list("scope", "external_id")
    return [{"account": scope, "external_id": external_id} for scope, external_id in found]


def queries(*, login: str, token: str, requests: dict[str, dict[str, Any]]) -> dict[str, int]:
    """SQL queries of each request {path, body?}, the second time it is asked."""
    client = Client()
    client.force_login(Staff.objects.get(login=login), backend="accounts.backends.StaffBackend")
    return {name: _count(client, token, **one) for name, one in requests.items()}


def _count(client: Client, token: str, *, path: str, bodies: Sequence[Any] = ()) -> int:
    number = 0
    for attempt in (0, 1):
        with CaptureQueriesContext(connection) as found:
            answer = _ask(client, token, path, bodies[attempt] if bodies else None)
        if answer.status_code not in {200, 201}:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        number = len(found)
    return number


def _ask(client: Client, token: str, path: str, body: Any) -> Any:
    authorised = {"Authorization": f"Bearer {token}"} if path.startswith("/api/") else {}
    if body is None:
        return client.get(path, headers=authorised)
    headers = {**authorised, "Idempotency-Key": str(uuid.uuid4())}
    return Client().post(path, json.dumps(body), content_type="application/json", headers=headers)
