"""Signing in and out, choosing the language."""

from typing import cast

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.entrance import public
from accounts.models import Staff
from accounts.services import sessions
from core.middleware import wants_json


class SignIn(LoginView):
    """The sign-in page; a script that asks for JSON gets JSON, so that a screen signs in again in place."""

    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def form_valid(self, form: object) -> HttpResponse:
        answer = super().form_valid(form)  # type: ignore[arg-type]
        sessions.signed_in(staff=cast(Staff, self.request.user), now=timezone.now(), address=self.request.META.get("REMOTE_ADDR"))
        return JsonResponse({"ok": True}) if wants_json(self.request) else answer

    def form_invalid(self, form: object) -> HttpResponse:
        if wants_json(self.request):
            errors = form.non_field_errors()  # type: ignore[attr-defined]
            return JsonResponse({"code": "wrong", "message": " ".join(errors)}, status=400)
        return super().form_invalid(form)  # type: ignore[arg-type]


sign_in = public("this is the sign-in; attempts are limited by django-axes")(SignIn.as_view())


@require_POST
@public("ends the caller's own session only")
def sign_out(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, Staff):
        sessions.signed_out(staff=request.user, now=timezone.now())
    logout(request)
    return HttpResponseRedirect(settings.LOGIN_URL)


@require_POST
@public("sets the caller's own language cookie or profile")
def choose_language(request: HttpRequest) -> HttpResponse:
    language = request.POST.get("language", "")
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    answer = HttpResponseRedirect(back)
    if language in dict(settings.LANGUAGES):
        answer.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=31_536_000, samesite="Lax")
        if isinstance(request.user, Staff):
            Staff.objects.filter(pk=request.user.pk).update(language=language)
    return answer
