"""Every entrance declares the right it needs, and asks for it: walked over all addresses and sockets."""

import uuid

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.rights import Right
from config.sockets import sockets
from tests import builders as b

BACKEND = "accounts.backends.StaffBackend"
SAMPLES = {
    "int": 987654321,
    "slug": "no-such-thing",
    "uuid": uuid.UUID(int=7),
    "str": "no-such-thing",
    "path": "no-such-thing",
}


def _walk(patterns, prefix=""):
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, prefix + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            yield prefix + str(entry.pattern), entry


def entrances():
    """(address with samples filled in, view), the admin's own addresses left out: they are asked below."""
    for route, entry in _walk(get_resolver().url_patterns):
        if route.startswith("admin/"):
            continue
        yield "/" + _filled(route, entry), entry.callback


def _filled(route, entry):
    for name, converter in entry.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        for spelling in (f"<{kind}:{name}>", f"<{name}>"):
            route = route.replace(spelling, str(SAMPLES.get(kind, "1")))
    for sub_route in route.split("<")[1:]:
        name = sub_route.split(">")[0]
        route = route.replace(f"<{name}>", str(SAMPLES[name.split(":")[0]] if ":" in name else "1"))
    return route.replace("^", "").replace("$", "").replace("\\Z", "")


def declared(view):
    """(right or rights by method, reason why public) of a view, of a class-based view's class, or of an API view."""
    holder = getattr(view, "cls", None) or getattr(view, "view_class", None) or view
    rights = getattr(view, "right", None) or getattr(holder, "rights", None) or getattr(holder, "right", None)
    return rights, getattr(view, "public_because", None) or getattr(holder, "public_because", None)


ALL = sorted(entrances(), key=lambda found: found[0])


@pytest.mark.parametrize(("address", "view"), ALL, ids=[address for address, _view in ALL])
def test_an_entrance_declares_its_right_or_why_it_needs_none(address, view):
    rights, public_because = declared(view)
    assert bool(rights) != bool(public_because), f"{address} must declare either a right or the reason why it is public"
    asked = rights.values() if isinstance(rights, dict) else [rights] if rights else []
    assert all(right in Right.values for right in asked)


GUARDED = [address for address, view in ALL if declared(view)[0]]


@pytest.fixture
def answers(db):
    """Asks an address by GET and POST; the status codes."""

    def ask(client, address):
        return {client.get(address, secure=False).status_code, client.post(address, data="{}", content_type="application/json").status_code}

    return ask


@pytest.mark.django_db
def test_strangers_are_sent_away_from_every_guarded_entrance(answers):
    client = Client()
    wrong = {address: found for address in GUARDED if not (found := answers(client, address)) <= {302, 401, 403, 405}}
    assert not wrong


@pytest.mark.django_db
def test_somebody_without_rights_is_refused_at_every_guarded_entrance(answers):
    client = Client()
    client.force_login(b.a_person("novice", "Новичок Никто", role=b.a_role("nobody", rights=[])), backend=BACKEND)
    wrong = {address: found for address in GUARDED if not (found := answers(client, address)) <= {403, 404, 405}}
    assert not wrong


@pytest.mark.django_db
def test_the_admin_panel_is_closed_to_those_who_may_not_enter():
    client = Client()
    client.force_login(b.a_person(groups=[b.a_group()]), backend=BACKEND)
    for model in admin.site._registry:
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for path in (address, f"{address}add/", f"{address}1/change/"):
            answer = client.get(path)
            assert answer.status_code in {302, 403}, path
            if answer.status_code == 302:
                assert "login" in answer.headers["Location"], path


def test_every_socket_declares_its_right_or_why_it_needs_none():
    assert sockets
    for entry in sockets:
        consumer = getattr(entry.callback, "consumer_class", entry.callback)
        right, public_because = getattr(consumer, "right", None), getattr(consumer, "public_because", None)
        assert bool(right) != bool(public_because), consumer
