"""The view that does nothing."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.entrance import public


@csrf_exempt
@public("says nothing to anybody")
def empty(request: HttpRequest) -> HttpResponse:
    """What an answer costs before anything is done; the body is received as in any view."""
    _received = request.body
    return JsonResponse({})
