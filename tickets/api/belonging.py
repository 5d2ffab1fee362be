"""Duplicates and links for other systems."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rights import Right
from core.refusal import Refusal
from omni.api.entrance import FAULTS, KEY, checked, once, staff_of
from omni.selectors import find_guest
from stores.models import Store
from tickets import belonging
from tickets.belonging import Alike, Linked
from tickets.models import CaseLink, Topic
from tickets.selectors import find_case
from tickets.services import duplicates, joined_topics, linking


class AlikeInput(serializers.Serializer[Any]):
    """A ticket that is about to be opened."""

    guest = serializers.IntegerField(min_value=1)
    topic = serializers.SlugField(max_length=64)
    store = serializers.CharField(required=False, max_length=12, help_text="Number of the store.")
    text = serializers.CharField(max_length=10_000, allow_blank=True, default="")


class LikenessReasonOutput(serializers.Serializer[Any]):
    reason = serializers.CharField()
    points = serializers.IntegerField()


class AlikeOutput(serializers.Serializer[Any]):
    """`score` is 0 to 100."""

    case = serializers.IntegerField()
    number = serializers.CharField()
    title = serializers.CharField()
    state = serializers.CharField()
    channel = serializers.CharField()
    score = serializers.IntegerField()
    reasons = LikenessReasonOutput(many=True)


LINKS = [("duplicate", "duplicate"), ("child", "child"), ("related", "related")]


class LinkInput(serializers.Serializer[Any]):
    """`duplicate` = this ticket closes as a duplicate of the main one; `child` = it goes under it; `related` = they belong together."""

    main = serializers.IntegerField(min_value=1, help_text="The main ticket's id.")
    kind = serializers.ChoiceField(choices=LINKS)


class LinkOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=CaseLink.Kind.choices)
    case = serializers.IntegerField()
    main = serializers.IntegerField()
    at = serializers.DateTimeField()
    undoable = serializers.BooleanField()


class SplitInput(serializers.Serializer[Any]):
    message = serializers.IntegerField(min_value=1)
    topic = serializers.SlugField(max_length=64)
    store = serializers.CharField(required=False, max_length=12)
    summary = serializers.CharField(required=False, max_length=2000, allow_blank=True, default="")


class OtherInput(serializers.Serializer[Any]):
    other = serializers.IntegerField(min_value=1)


class DoneOutput(serializers.Serializer[Any]):
    ok = serializers.BooleanField()


def topic_of(code: str) -> Topic:
    """Raises Refusal."""
    found = Topic.objects.filter(code=code).first()
    if found is None:
        raise Refusal("topic_unknown", _("There is no such topic."), status=400)
    return joined_topics.going_on(found)


def store_of(number: str | None) -> Store | None:
    """Raises Refusal."""
    found = Store.objects.filter(number=number).first() if number else None
    if number and found is None:
        raise Refusal("store_unknown", _("There is no store with this number."), status=400)
    return found


class AskAlikeView(APIView):
    rights = {"POST": Right.CASES_READ}

    @extend_schema(operation_id="cases_alike", request=AlikeInput, responses={200: AlikeOutput(many=True), **FAULTS})
    def post(self, request: Request) -> Response:
        """Which tickets a new one would perhaps repeat; nothing is kept."""
        wanted, staff = checked(AlikeInput, request.data), staff_of(request)
        guest = find_guest(staff=staff, guest_id=wanted["guest"])
        about = {"topic": topic_of(wanted["topic"]), "store": store_of(wanted.get("store")), "text": wanted["text"]}
        return Response([_alike(one) for one in belonging.ask_alike(staff=staff, guest=guest, now=timezone.now(), **about)])


class DuplicatesView(APIView):
    rights = {"GET": Right.CASES_READ, "POST": Right.CASES_WORK}

    @extend_schema(operation_id="cases_duplicates", responses={200: AlikeOutput(many=True), **FAULTS})
    def get(self, request: Request, case_id: int) -> Response:
        """Which tickets may be the same matter, the likeliest first, each with its reasons."""
        case = find_case(staff=staff_of(request), case_id=case_id)
        return Response([_alike(one) for one in belonging.list_alike(staff=staff_of(request), case=case)])

    @extend_schema(operation_id="cases_two_matters", parameters=[KEY], request=OtherInput, responses={200: DoneOutput, **FAULTS})
    def post(self, request: Request, case_id: int) -> Response:
        """These two are two matters: they are not offered again."""
        wanted, staff = checked(OtherInput, request.data), staff_of(request)
        for one in (case_id, wanted["other"]):
            find_case(staff=staff, case_id=one)

        def refuse() -> dict[str, Any]:
            duplicates.refuse(case_id=case_id, other_id=wanted["other"], by=staff, now=timezone.now())
            return {"ok": True}

        return Response(once(request, f"api.case.two:{case_id}", refuse))


class LinksView(APIView):
    rights = {"GET": Right.CASES_READ, "POST": Right.CASES_WORK}

    @extend_schema(operation_id="cases_links", responses={200: LinkOutput(many=True), **FAULTS})
    def get(self, request: Request, case_id: int) -> Response:
        """What the ticket is joined or linked with."""
        case = find_case(staff=staff_of(request), case_id=case_id)
        return Response([_linked(one) for one in belonging.list_links(staff=staff_of(request), case=case, now=timezone.now())])

    @extend_schema(operation_id="cases_link", parameters=[KEY], request=LinkInput, responses={201: LinkOutput, **FAULTS})
    def post(self, request: Request, case_id: int) -> Response:
        """Join the ticket to another one as its duplicate, put it under a parent, or note that two belong together."""
        wanted, staff = checked(LinkInput, request.data), staff_of(request)
        for one in (case_id, wanted["main"]):
            find_case(staff=staff, case_id=one)

        def link() -> dict[str, Any]:
            given = {"case_id": case_id, "main_id": wanted["main"], "by": staff, "now": timezone.now()}
            if wanted["kind"] == CaseLink.Kind.DUPLICATE:
                return shown(linking.join(**given))
            return shown(linking.link(**given, kind=CaseLink.Kind(wanted["kind"])))

        return Response(once(request, f"api.case.link:{case_id}", link), status=201)


class SplitView(APIView):
    rights = {"POST": Right.CASES_WORK}

    @extend_schema(operation_id="cases_split", parameters=[KEY], request=SplitInput, responses={201: LinkOutput, **FAULTS})
    def post(self, request: Request, case_id: int) -> Response:
        """A message of the guest becomes a ticket of its own; the answer is the link of the two."""
        wanted, staff = checked(SplitInput, request.data), staff_of(request)
        find_case(staff=staff, case_id=case_id)
        about = {"topic": topic_of(wanted["topic"]), "store": store_of(wanted.get("store")), "summary": wanted["summary"]}

        def split() -> dict[str, Any]:
            return shown(linking.split(case_id=case_id, message_id=wanted["message"], by=staff, now=timezone.now(), **about))

        return Response(once(request, f"api.case.split:{case_id}", split), status=201)


class UndoLinkView(APIView):
    rights = {"POST": Right.CASES_WORK}

    @extend_schema(operation_id="links_undo", parameters=[KEY], request=None, responses={200: LinkOutput, **FAULTS})
    def post(self, request: Request, link_id: int) -> Response:
        """Take a link back, within the days of the rules."""
        staff = staff_of(request)
        belonging.find_link(staff=staff, link_id=link_id)
        undo = lambda: shown(linking.undo(link_id=link_id, by=staff, now=timezone.now()))  # noqa: E731  one line
        return Response(once(request, f"api.link.undo:{link_id}", undo))


def shown(link: CaseLink) -> dict[str, Any]:
    return {
        "id": link.pk,
        "kind": link.kind,
        "case": link.case_id,
        "main": link.main_id,
        "at": link.at.isoformat(),
        "undoable": link.undone_at is None,
    }


def _linked(one: Linked) -> dict[str, Any]:
    return {**shown(one.link), "undoable": one.may_undo}


def _alike(one: Alike) -> dict[str, Any]:
    return {
        "case": one.item.subject_id,
        "number": one.item.number,
        "title": one.item.title,
        "state": one.item.state,
        "channel": one.item.channel,
        "score": one.score,
        "reasons": [{"reason": reason, "points": points} for reason, points in one.reasons],
    }
