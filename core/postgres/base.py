"""The database backend that DATABASES names (https://docs.djangoproject.com/en/5.2/ref/databases/#subclassing-the-built-in-database-backends)."""

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection; `statement_names` are the statements prepared on it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.statement_names: set[str] = set()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.statement_names = set()
        return super().get_new_connection(conn_params)

    def is_usable(self) -> bool:
        """Whether the kept connection still answers.

        A server that went away has closed its end, which makes the socket readable; a silent socket needs no question. That spares
        a round trip at the beginning of every page.
        """
        if self.connection is None or self.connection.closed:
            return False
        readable, _writable, _broken = select.select([self.connection.fileno()], [], [], 0)
        return bool(super().is_usable()) if readable else True
