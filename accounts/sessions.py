"""Sessions in the database, read by one prepared statement (settings.SESSION_ENGINE)."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from core.statements import Prepared

_FOUND = Prepared(lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now))


_IS_THERE = Prepared(lambda key: Session.objects.filter(session_key=key).values_list("pk", flat=True))


class SessionStore(db.SessionStore):
    def exists(self, session_key: str) -> bool:
        return bool(_IS_THERE.all(key=session_key))

    def _get_session_from_db(self) -> Session | None:
        found = _FOUND.first(key=self.session_key, now=timezone.now())
        if found is None:
            self._session_key = None
        return found

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session
