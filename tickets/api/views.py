"""Tickets for other systems: read the input, check the right, one service or selector, answer."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Staff
from accounts.rights import Right
from core.refusal import Refusal
from core.statements import Prepared
from omni.api import messages
from omni.api.entrance import FAULTS, KEY, checked, once, staff_of
from sla.models import Policy
from sla.services import clocks, stories
from stores.models import Store
from stores.selectors import find_stores
from tickets import search
from tickets.api import schemas, shapes
from tickets.models import Case, ClosingCause, Topic
from tickets.selectors import find_case, list_steps, list_topics
from tickets.services import asked, cases, closing, intake, joined_topics, opening, terms
from tickets.states import Cause
from worklist.selectors import Filters, find_item, list_items
from worklist.states import Kind

_TOPIC = Prepared(lambda code: Topic.objects.select_related("group").filter(code=code))


class CasesView(APIView):
    rights = {"GET": Right.CASES_READ, "POST": Right.CASES_WORK}

    @extend_schema(operation_id="cases_list", parameters=[schemas.ListInput], responses={200: schemas.PageOutput, **FAULTS})
    def get(self, request: Request) -> Response:
        """Tickets that the caller may see, page by page."""
        wanted = checked(schemas.ListInput, request.query_params)
        filters = Filters(kind=Kind.CASE, channel=wanted.get("channel", ""), store_id=wanted.get("store"), group_id=wanted.get("group"))
        page = list_items(
            staff=staff_of(request),
            tab=wanted["tab"],
            sort=wanted["sort"],
            filters=filters,
            cursor=wanted.get("cursor", ""),
            limit=wanted["limit"],
        )
        return Response({"items": [shapes.row(item) for item in page.items], "next": page.next_cursor})

    @extend_schema(
        operation_id="cases_open",
        parameters=[KEY],
        request=schemas.OpenCaseInput,
        responses={201: schemas.OpenedOutput, **FAULTS},
    )
    def post(self, request: Request) -> Response:
        """Open a ticket: from a dialogue, or for a guest who is known in a channel."""
        wanted = checked(schemas.OpenCaseInput, request.data)
        return Response(once(request, "api.case.open", lambda: _open(staff_of(request), wanted)), status=201)


def _open(staff: Staff, wanted: dict[str, Any]) -> dict[str, Any]:
    case = _from_session(staff, wanted) if "session" in wanted else _for_guest(staff, wanted)
    return shapes.opened(case, clocks.running(case.clock_subject))


def _from_session(staff: Staff, wanted: dict[str, Any]) -> Case:
    find_item(staff=staff, kind=Kind.SESSION, subject_id=wanted["session"])
    return opening.open_ticket(session_id=wanted["session"], **_common(staff, wanted))


def _for_guest(staff: Staff, wanted: dict[str, Any]) -> Case:
    guest = intake.GuestKey(**{name: str(value) for name, value in wanted["guest"].items()})
    return intake.report(guest=guest, text=wanted["text"], **_common(staff, wanted))


def _common(staff: Staff, wanted: dict[str, Any]) -> dict[str, Any]:
    topic = _TOPIC.first(code=wanted["topic"])
    if topic is None:
        raise Refusal("topic_unknown", _("There is no such topic."), status=400)
    store = None
    if number := wanted.get("store"):
        store = Store.objects.filter(number=number).first()
        if store is None:
            raise Refusal("store_unknown", _("There is no store with this number."), status=400)
    return {
        "topic": joined_topics.going_on(topic),
        "store": store,
        "by": staff,
        "now": timezone.now(),
        "summary": wanted.get("summary", ""),
        "priority": wanted["priority"],
        "details": wanted["details"],
    }


class CaseView(APIView):
    rights = {"GET": Right.CASES_READ}

    @extend_schema(operation_id="cases_get", responses={200: schemas.CaseOutput, **FAULTS})
    def get(self, request: Request, case_id: int) -> Response:
        """One ticket with its clocks and its history."""
        case = find_case(staff=staff_of(request), case_id=case_id)
        return Response(shapes.whole(case, clocks.running(case.clock_subject), list_steps(case)))


class ClocksView(APIView):
    rights = {"GET": Right.CASES_READ, "POST": Right.CONFIGURE}

    @extend_schema(operation_id="cases_clocks", responses={200: schemas.ClockStoryOutput(many=True), **FAULTS})
    def get(self, request: Request, case_id: int) -> Response:
        """Why each clock is due when it is due: all its intervals, running and paused, and the promises in force."""
        case = find_case(staff=staff_of(request), case_id=case_id)
        found = stories.list_stories(case.clock_subject, now=timezone.now())
        return Response([shapes.clock_story(clock, reading) for clock, reading in found])

    @extend_schema(
        operation_id="cases_change_terms", parameters=[KEY], request=schemas.TermsInput, responses={200: schemas.OpenedOutput, **FAULTS}
    )
    def post(self, request: Request, case_id: int) -> Response:
        """Other promises for the ticket from now on; what its clocks have used stays used."""
        wanted = checked(schemas.TermsInput, request.data)
        case = find_case(staff=staff_of(request), case_id=case_id)
        policy = Policy.objects.select_related("calendar").filter(code=wanted["policy"]).first()
        if policy is None:
            raise Refusal("policy_unknown", _("There is no such SLA policy."), status=400)

        def change() -> dict[str, Any]:
            done = terms.change_policy(case_id=case.pk, policy=policy, by=staff_of(request), reason=wanted["reason"], now=timezone.now())
            return shapes.opened(done, clocks.running(done.clock_subject))

        return Response(once(request, f"api.case.terms:{case_id}", change))


class AnswersView(APIView):
    rights = {"POST": Right.ANSWER}

    @extend_schema(
        operation_id="cases_answer", parameters=[KEY], request=messages.AnswerInput, responses={201: schemas.SentOutput, **FAULTS}
    )
    def post(self, request: Request, case_id: int) -> Response:
        """Answer the guest in the channel the guest came by."""
        wanted = checked(messages.AnswerInput, request.data)
        case = find_case(staff=staff_of(request), case_id=case_id)

        def answer() -> dict[str, Any]:
            message = messages.answer(session_id=case.session_id, wanted=wanted, by=staff_of(request))
            return {"message": message.pk, "state": message.send_state}

        return Response(once(request, f"api.case.answer:{case_id}", answer), status=201)


class CloseView(APIView):
    rights = {"POST": Right.CASES_WORK}

    @extend_schema(
        operation_id="cases_close", parameters=[KEY], request=schemas.CloseInput, responses={200: schemas.ClosedOutput, **FAULTS}
    )
    def post(self, request: Request, case_id: int) -> Response:
        """Close a ticket with its cause."""
        wanted = checked(schemas.CloseInput, request.data)
        case = find_case(staff=staff_of(request), case_id=case_id)

        def close() -> dict[str, Any]:
            closed = _closed(case, wanted, by=staff_of(request))
            return {"id": closed.pk, "state": closed.state, "closed_at": closed.closed_at}

        return Response(once(request, f"api.case.close:{case_id}", close))


def _closed(case: Case, wanted: dict[str, Any], *, by: Staff) -> Case:
    now, note = timezone.now(), wanted["note"]
    if "cause" in wanted:
        return cases.close(case_id=case.pk, cause=Cause(wanted["cause"]), by=by, now=now, note=note)
    found = ClosingCause.objects.filter(code=wanted["closing"]).values_list("pk", flat=True).first()
    return closing.close(case_id=case.pk, closing_id=found or 0, note=note, by=by, now=now)


class SearchView(APIView):
    rights = {"GET": Right.CASES_READ}

    @extend_schema(operation_id="search", parameters=[schemas.WordsInput], responses={200: schemas.FoundOutput, **FAULTS})
    def get(self, request: Request) -> Response:
        """Tickets and dialogues by number, by guest, or by words of their messages in any Russian form."""
        found = search.search(staff=staff_of(request), words=checked(schemas.WordsInput, request.query_params)["q"])
        return Response({"items": [shapes.hit(hit) for hit in found.hits], "complete": found.complete})


class TopicsView(APIView):
    rights = {"GET": Right.CASES_READ}

    @extend_schema(operation_id="topics_list", responses={200: schemas.TopicOutput(many=True)})
    def get(self, request: Request) -> Response:
        """Topics that a ticket may have."""
        found, codes = list_topics(), dict(Topic.objects.values_list("pk", "code"))
        asks = asked.specs_of_all([topic.id for topic in found])
        return Response([shapes.topic(topic, code=codes[topic.id], asks=asks.get(topic.id, ())) for topic in found])


class StoresView(APIView):
    rights = {"GET": Right.CASES_READ}

    @extend_schema(operation_id="stores_list", parameters=[schemas.WordsInput], responses={200: schemas.StoreOutput(many=True), **FAULTS})
    def get(self, request: Request) -> Response:
        """Stores by number, name or address; at most twenty."""
        found = find_stores(checked(schemas.WordsInput, request.query_params)["q"])
        return Response([_store(store) for store in found])


def _store(store: Store) -> dict[str, Any]:
    return {"id": store.pk, "number": store.number, "name": store.name, "address": store.address, "region": store.region.name}
