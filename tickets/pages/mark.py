"""The page on which a guest gives a mark by link."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.entrance import public
from core.refusal import Refusal
from tickets.models import Survey
from tickets.pages.by_link import by_link
from tickets.services import surveys
from tickets.telling import MARKS

_WHY = "the address holds a signed token that is good for one ticket's mark"


@public(_WHY)
@require_safe
@by_link
def show(request: HttpRequest, token: str) -> HttpResponse:
    return _page(request, surveys.find(token, now=timezone.now()), token)


@public(_WHY)
@require_POST
@by_link
def give(request: HttpRequest, token: str) -> HttpResponse:
    mark, comment = request.POST.get("mark", ""), request.POST.get("comment", "")
    known = surveys.find(token, now=timezone.now())
    try:
        number = int(mark) if mark in {str(one) for one in MARKS} else 0
        surveys.answer_by_link(token=token, mark=number, comment=comment, now=timezone.now())
    except Refusal as refusal:
        return _page(request, known, token, refusal=refusal)
    return HttpResponseRedirect(reverse("mark_link", kwargs={"token": token}))


def _page(request: HttpRequest, survey: Survey, token: str, *, refusal: Refusal | None = None) -> HttpResponse:
    context = {"survey": survey, "case": survey.case, "token": token, "marks": MARKS, "refusal": refusal, "typed": request.POST}
    return render(request, "tickets/mark_link.html", context, status=refusal.status if refusal else 200)
