"""The page behind the addresses of `omni.channels.published`."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.entrance import public
from omni.channels.published import NotPublished, digest_in
from omni.models import Attachment
from omni.services import files
from omni.states import FileState

SHOWN = files.SHOWN_INLINE | {"video/mp4", "audio/mpeg", "audio/mp4", "application/pdf"}


@public("the address is signed and expires; it names one stored file by its digest")
@require_safe
def published_file(request: HttpRequest, token: str, name: str = "") -> HttpResponseBase:
    """A file of an answer, for the provider's servers and the guest's telephone. 404 for anything not signed or out of date."""
    try:
        digest = digest_in(token, now=timezone.now())
    except NotPublished as fault:
        raise Http404 from fault
    found = Attachment.objects.filter(sha256=digest, state=FileState.STORED).order_by("pk").first()
    if found is None:
        raise Http404
    kind = found.mime if found.mime in SHOWN else "application/octet-stream"
    inline = found.mime in files.SHOWN_INLINE
    answer = FileResponse(files.open_stored(found), content_type=kind, as_attachment=not inline, filename=name or found.name or "file")
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "private, max-age=3600"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
