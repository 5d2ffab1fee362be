"""The processing's server keeps its own rules, and the adapter tells every fault from every other."""

import uuid
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from loyalty.processing.contract import AnswerState, NoAnswer, Sent
from loyalty.processing.http import HttpProcessor
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.points import TOKEN, PointsServer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def world():
    server = PointsServer()
    server.cards["1000"] = 50
    with Frame(server) as frame:
        yield SimpleNamespace(server=server, processor=HttpProcessor(f"{frame.url}/api", TOKEN, seconds=0.4), url=frame.url)


def sent(points=20, card="1000", id=None):
    return Sent(id or uuid.uuid4(), card, points, NOW)


def test_an_operation_is_booked_once(world):
    operation = sent()
    first, second = world.processor.book(operation), world.processor.book(operation)
    assert first == second
    assert (first.state, first.points, first.reference) == (AnswerState.CONFIRMED, 20, "P1")
    assert world.processor.balance("1000") == 70
    assert world.processor.find(operation.id) == first
    assert len(world.server.accepted.after(0)) == 1
    assert not world.server.violations.after(0)


@pytest.mark.parametrize(("fields", "text"), [({"card": "9"}, "unknown"), ({"points": -51}, "less")])
def test_what_it_refuses(world, fields, text):
    answer = world.processor.book(sent(**fields))
    assert answer.state is AnswerState.REFUSED
    assert text in answer.text


def test_another_operation_under_a_known_id_is_refused(world):
    operation = sent()
    world.processor.book(operation)
    assert world.processor.book(sent(points=21, id=operation.id)).state is AnswerState.REFUSED
    assert world.processor.balance("1000") == 70


def test_unknown_things(world):
    assert world.processor.find(uuid.uuid4()) is None
    assert world.processor.balance("no such/card") is None


def test_totals_of_a_day(world):
    world.processor.book(sent(20))
    world.processor.book(sent(-5))
    found = world.processor.totals(NOW.date())
    assert (found.operations, found.points) == (2, 15)


@pytest.mark.parametrize(
    ("kind", "certain", "accepted"),
    [
        (FaultKind.THROTTLED, True, 0),
        (FaultKind.TOKEN_REVOKED, True, 0),
        (FaultKind.SERVER_ERROR, False, 0),
        (FaultKind.GARBAGE, False, 0),
        (FaultKind.TIMEOUT_AFTER_ACCEPTING, False, 1),
        (FaultKind.DROPPED_AFTER_ACCEPTING, False, 1),
        (FaultKind.GARBAGE_AFTER_ACCEPTING, False, 1),
    ],
)
def test_faults(world, kind, certain, accepted):
    world.server.faults.add(Fault(kind, seconds=1.0))
    with pytest.raises(NoAnswer) as fault:
        world.processor.book(sent())
    assert fault.value.certain is certain
    assert len(world.server.accepted.after(0)) == accepted


def test_an_answer_about_another_operation_is_none(world):
    world.server.foreign = 1
    with pytest.raises(NoAnswer):
        world.processor.book(sent())


def test_nobody_listens():
    with pytest.raises(NoAnswer) as fault:
        HttpProcessor("http://127.0.0.1:9", "x", seconds=0.4).book(sent())
    assert fault.value.certain


def test_broken_requests_are_noted(world):
    with pytest.raises(NoAnswer):
        world.processor.book(sent(points=0))
    assert "whole number" in world.server.violations.after(0)[0]["text"]
