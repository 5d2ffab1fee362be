"""Tickets joined as one matter, put under a parent, related, split: each by a person, each undone within the days of the rules.

Locks: all changes of links wait for each other, so a circle is seen before it closes, whoever joins what crosswise; then identities,
dialogues and tickets, each in the order of their numbers, as everywhere.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.locks import serialise
from core.refusal import Refusal
from core.statements import update
from customers.models import Identity
from omni.models import Message, Session
from omni.services import conversations
from omni.states import Direction, SessionState
from stores.models import Store
from tickets.models import Case, CaseLink, Likeness, Topic
from tickets.services import cases, chains, duplicates, opening, rows
from tickets.states import CaseState, Cause, Step

Kind = CaseLink.Kind
_LOCK = "links of tickets"


@transaction.atomic
def join(*, case_id: int, main_id: int, by: Staff, now: datetime) -> CaseLink:
    """The ticket is the same matter as the main one: it closes as its duplicate, and what its guest says goes on there.

    A main ticket that is joined itself stands for the end of its chain. Raises Refusal: the same ticket, a circle, joined already, a
    main ticket that is closed, an incident's own ticket (tickets are its parts, not its duplicates).
    """
    serialise(_LOCK)
    if main_id == case_id:
        raise Refusal("same_ticket", _("This is the same ticket."), status=400)
    main_id = chains.end_of(main_id)
    if main_id == case_id:
        raise Refusal("cycle", _("These tickets are one matter already: the other one is joined to this one."))
    held = lock_all({case_id, main_id})
    case, main = _two(held, case_id, main_id)
    if case.guest_id is None or main.guest_id is None:
        raise Refusal("no_guest", _("An incident's ticket has no guest: put the other one under it instead."))
    _check_free(case, Kind.DUPLICATE)
    if main.state == CaseState.CLOSED:
        raise Refusal("main_closed", _("The main ticket is closed. Reopen it, or join the other way round."))
    before = {"state": case.state, "cause": case.cause, "session": case.session_id}
    link = CaseLink.objects.create(kind=Kind.DUPLICATE, case=case, main=main, at=now, by=by, before=before)
    _tell(case, main, Step.JOINED, by=by, now=now)
    audit.record(action="case.joined", by=by, subject=case, now=now, details={"main": main.pk, "link": link.pk})
    _keep_dialogue(case)
    if case.state != CaseState.CLOSED:
        cases.close(case_id=case.pk, cause=Cause.DUPLICATE, by=by, now=now)
    duplicates.settle(case_id, main_id, Likeness.State.TAKEN, by=by, now=now)
    return link


def _keep_dialogue(case: Case) -> None:
    """What the guest writes there goes to the main ticket, also when the joined one was closed before."""
    session = conversations.lock(case.session_id)
    others = Session.objects.filter(identity=session.identity_id, account=session.account_id).exclude(state=SessionState.CLOSED)
    if session.state == SessionState.CLOSED and not others.exists():
        cases.keep_open(session)


@transaction.atomic
def link(*, case_id: int, main_id: int, kind: CaseLink.Kind, by: Staff, now: datetime) -> CaseLink:
    """Put the ticket under a parent (CHILD), or note that two belong together (RELATED). Raises Refusal: itself, a circle, done already."""
    serialise(_LOCK)
    held = lock_all({case_id, main_id})
    case, main = _two(held, case_id, main_id)
    if kind == Kind.CHILD:
        _check_free(case, kind)
        if case_id in chains.above(main_id, kind):
            raise Refusal("cycle", _("This would close a circle: the other ticket already lies under this one."))
    elif _related(case_id, main_id).exists():
        raise Refusal("linked_already", _("These tickets are linked already."))
    made = CaseLink.objects.create(kind=kind, case=case, main=main, at=now, by=by)
    _tell(case, main, Step.LINKED, by=by, now=now)
    audit.record(action="case.linked", by=by, subject=case, now=now, details={"main": main.pk, "kind": kind, "link": made.pk})
    duplicates.settle(case_id, main_id, Likeness.State.TAKEN, by=by, now=now)
    return made


def _related(one: int, other: int) -> "QuerySet[CaseLink]":
    both = Q(case=one, main=other) | Q(case=other, main=one)
    return CaseLink.objects.filter(both, kind=Kind.RELATED, undone_at=None)


@transaction.atomic
def split(
    *,
    case_id: int,
    message_id: int,
    topic: Topic,
    store: Store | None,
    by: Staff,
    now: datetime,
    summary: str = "",
    details: Mapping[str, object] | None = None,
) -> CaseLink:
    """A message in the ticket's feed is a matter of its own: it gets a ticket in the dialogue where it was said.

    The message is the guest's, or the note that quotes the guest of a joined ticket. `details` and refusals as of `open_ticket`.
    """
    serialise(_LOCK)
    said = _said(Case.objects.get(pk=case_id), message_id)
    words = summary.strip() or said.visible_text or said.text
    made = opening.open_ticket(session_id=said.session_id, topic=topic, by=by, now=now, store=store, summary=words, details=details)
    case, main = _two(lock_all({made.pk, case_id}), made.pk, case_id)
    found = CaseLink.objects.create(kind=Kind.SPLIT, case=case, main=main, at=now, by=by, before={"message": message_id})
    _tell(case, main, Step.SPLIT, by=by, now=now)
    audit.record(action="case.split", by=by, subject=main, now=now, details={"case": case.pk, "message": message_id, "link": found.pk})
    duplicates.settle(case.pk, main.pk, Likeness.State.REFUSED, by=by, now=now)
    return found


def _said(origin: Case, message_id: int) -> Message:
    """Raises Refusal."""
    found = Message.objects.filter(pk=message_id, guest=origin.guest_id, direction__in=[Direction.IN, Direction.NOTE]).first()
    if found is not None and found.direction == Direction.NOTE:
        quoted = chains.quoted_in(found)
        found = Message.objects.filter(pk=quoted, direction=Direction.IN).first() if quoted else None
    if found is None:
        raise Refusal("not_found", _("There is no such message of this guest."), status=404)
    return found


@transaction.atomic
def undo(*, link_id: int, by: Staff, now: datetime) -> CaseLink:
    """Take a link back: a joined ticket goes on as it was, a split one goes back. Raises Refusal: undone already, too long ago."""
    serialise(_LOCK)
    found = CaseLink.objects.filter(pk=link_id).first()
    if found is None:
        raise Refusal("not_found", _("There is no such link."), status=404)
    _check_undo(found, now=now)
    family = {found.case_id, found.main_id, *chains.below(chains.end_of(found.case_id))}
    held = lock_all(family if found.kind == Kind.DUPLICATE else {found.case_id, found.main_id})
    case, main = held[found.case_id], held[found.main_id]
    found.undone_at, found.undone_by = now, by
    found.save(update_fields=["undone_at", "undone_by"])
    audit.record(action="case.link_undone", by=by, subject=case, now=now, details={"main": main.pk, "kind": found.kind, "link": found.pk})
    if found.kind == Kind.DUPLICATE:
        _part(found, held, by=by, now=now)
    elif found.kind == Kind.SPLIT and case.state != CaseState.CLOSED:
        cases.close(case_id=case.pk, cause=Cause.DUPLICATE, by=by, now=now)
        _tell(case, main, Step.JOINED, by=by, now=now)
    elif found.kind != Kind.SPLIT:
        _tell(case, main, Step.UNLINKED, by=by, now=now)
    duplicates.offer_again(case.pk, main.pk)
    return found


def _check_undo(found: CaseLink, *, now: datetime) -> None:
    days = duplicates.policy().undo_days
    if found.undone_at is not None:
        raise Refusal("undone", _("This has been undone already."))
    if now - found.at > timedelta(days=days):
        raise Refusal("too_late", _("Links of tickets can be undone within %(days)d days.") % {"days": days})


def _part(found: CaseLink, held: Mapping[int, Case], *, by: Staff, now: datetime) -> None:
    """The joined ticket has its own dialogue and state again; one that was open goes on in its group's queue."""
    case, main = held[found.case_id], held[found.main_id]
    _give_back_dialogue(case, int(found.before["session"]), held, now=now)
    if found.before["state"] == CaseState.CLOSED:
        case.cause = found.before["cause"]
        update(case, "cause")
    elif case.state == CaseState.CLOSED:
        cases.reopen(case_id=case.pk, by=by, reason=str(_("Split from the main ticket again.")), now=now)
        case.refresh_from_db(fields=["state", "owner"])
    _tell(case, main, Step.SPLIT, by=by, now=now)


def _give_back_dialogue(case: Case, session_id: int, held: Mapping[int, Case], *, now: datetime) -> None:
    """Dialogues change places while a guest of several joined tickets writes here and there: this one's comes home."""
    holder = next((one for one in held.values() if one.session_id == session_id and one.pk != case.pk), None)
    if case.session_id == session_id or holder is None:
        return
    swap_dialogues(case, holder, now=now)


def swap_dialogues(one: Case, other: Case, *, now: datetime) -> None:
    """The two locked tickets go on in each other's dialogue."""
    one.session, other.session = other.session, one.session
    for case in (one, other):
        update(case, "session")
        rows.show(case, now=now)


def lock_all(case_ids: Collection[int]) -> Mapping[int, Case]:
    """The tickets that there are, locked after the identities and dialogues of their guests."""
    while True:
        # As in cases.lock: one that goes on in another dialogue meanwhile gives all locks back, then it begins anew.
        with transaction.atomic():
            held, sessions = _lock(case_ids)
            if sessions.issuperset(case.session_id for case in held.values()):
                return held
            transaction.set_rollback(True)


def _lock(case_ids: Collection[int]) -> tuple[Mapping[int, Case], set[int]]:
    """The tickets and the dialogues that were locked for them."""
    sessions = list(Session.objects.filter(cases__in=case_ids).distinct().order_by("pk").values_list("pk", "identity_id"))
    list(Identity.objects.select_for_update(of=("self",)).filter(pk__in=[one for _pk, one in sessions]).order_by("pk"))
    for session_id, _identity in sessions:
        conversations.lock(session_id)
    held = {case.pk: case for case in cases.locked_cases().filter(pk__in=case_ids).order_by("pk")}
    return held, {session_id for session_id, _identity in sessions}


def _two(held: Mapping[int, Case], case_id: int, main_id: int) -> tuple[Case, Case]:
    if case_id == main_id:
        raise Refusal("same_ticket", _("This is the same ticket."), status=400)
    if case_id not in held or main_id not in held:
        raise Refusal("not_found", _("There is no such ticket."), status=404)
    return held[case_id], held[main_id]


def _check_free(case: Case, kind: CaseLink.Kind) -> None:
    if CaseLink.objects.filter(case=case, kind=kind, undone_at=None).exists():
        raise Refusal("linked_already", _("This ticket already has a main ticket. Undo that first."))


def _tell(case: Case, main: Case, step: Step, *, by: Staff, now: datetime) -> None:
    """The history of both."""
    cases.note_step(case, step, by=by, now=now, details={"main": main.number})
    cases.note_step(main, step, by=by, now=now, details={"case": case.number})
