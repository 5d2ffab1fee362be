"""Tabs of the right panel that are looked things up in: articles, the guest's earlier dialogues and tickets, the guest's orders."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Staff
from customers.models import Guest, Identity
from knowledge.models import Audience
from knowledge.selectors import Found, find_articles
from omni.states import Direction
from orders.models import Order
from orders.selectors import list_orders
from orders.states import OVER
from worklist.models import Item
from worklist.states import Kind
from workstation.entrances import at_desk
from workstation.feed import day_of, moment
from workstation.rules import masked_phone
from workstation.selectors import Opened
from workstation.wording import channel_name

ARTICLES, HISTORY, ORDERS = 6, 50, 10
# The guest's newest words say what it is about now.
NEWEST_WORDS = 3


@at_desk
@require_safe
def articles_part(request: HttpRequest) -> HttpResponseBase:
    """Articles for the words `?q=`."""
    context = {"articles": articles_for(request.GET.get("q", "")[:400])}
    return JsonResponse({"html": render_to_string("workstation/_articles.html", context)})


def articles_for(words: str) -> Sequence[dict[str, Any]]:
    """What staff may read on it, the best first. What only staff may read is never put into an answer."""
    return [_article(one) for one in find_articles(words, for_staff=True, limit=ARTICLES)]


def _article(one: Found) -> dict[str, Any]:
    article = one.article
    is_for_guests = article.audience == Audience.GUEST
    return {"code": article.code, "title": article.title, "answer": article.answer, "body": article.body, "is_for_guests": is_for_guests}


def knowledge_context(*, opened: Opened) -> dict[str, Any]:
    """What the tab "Knowledge" shows before anything is typed: articles on the guest's newest words."""
    said = [message.text for message in opened.feed.messages if message.direction == Direction.IN]
    return {"articles": articles_for(" ".join(said[-NEWEST_WORDS:]))}


def history_context(*, opened: Opened, staff: Staff, base: str) -> dict[str, Any]:
    """What the tab "History" shows: the guest's other dialogues and tickets that the person may see, the newest first."""
    found = Item.objects.visible_to(staff).filter(guest_id=opened.item.guest_id).exclude(pk=opened.item.pk)
    rows = found.select_related("owner", "store").order_by("-last_at")[:HISTORY]
    return {"history": [_past(item, base) for item in rows], "first_seen": day_of(opened.session.guest.created_at)}


def _past(item: Item, base: str) -> dict[str, Any]:
    is_case = item.kind == Kind.CASE
    return {
        "url": f"{base}{item.kind}/{item.subject_id}/",
        "icon": "ticket" if is_case else item.channel,
        "name": f"№ {item.number} · {item.title}" if is_case else _("Dialogue · %(channel)s") % {"channel": channel_name(item.channel)},
        "preview": item.preview,
        "facts": [fact for fact in (item.get_state_display(), moment(item.last_at), item.owner.full_name if item.owner else "") if fact],
        "is_closed": item.state == "closed",
    }


def orders_context(*, guest: Guest) -> dict[str, Any]:
    """What the tab "Orders" shows: orders of the telephones that a channel has vouched for (an order tells where somebody lives)."""
    known = Identity.objects.filter(guest=guest, is_verified=True).exclude(phone="").values_list("phone", flat=True)
    phones, now = sorted(set(known)), timezone.now()
    found = list_orders(phones, limit=ORDERS)
    prefetch_related_objects(found, "lines")
    return {
        "orders": [_order(order, now=now) for order in found],
        "order_phones": [masked_phone(phone) for phone in phones],
        "claimed_phone": masked_phone(guest.phone) if guest.phone not in phones else "",
    }


def _order(order: Order, *, now: datetime) -> dict[str, Any]:
    is_late = order.expected_until is not None and order.expected_until < now and order.state not in OVER
    return {
        "number": order.number,
        "source": order.source,
        "state": order.get_state_display(),
        "placed": moment(order.placed_at),
        "expected": moment(order.expected_until or order.expected_from),
        "store": str(order.store) if order.store else "",
        "total": order.total,
        "lines": [f"{line.name} × {line.quantity.normalize():f}" for line in order.lines.all()],
        "is_late": is_late,
    }
