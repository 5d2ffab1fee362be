"""Both servers of one home folder, and the file that tells other commands of the checkout where they are."""

import json
import time
from pathlib import Path

from core.embedded.postgres import Postgres
from core.embedded.private_files import write_private
from core.embedded.process import Child
from core.embedded.valkey import Valkey
from core.embedded.waiting import Pause


class Servers:
    """PostgreSQL and Valkey in `home`; while they run, `home`/servers.json (mode 0600) holds their URLs."""

    def __init__(self, home: Path, *, pause: Pause = time.sleep, stop_pause: Pause = time.sleep) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.book = home / "servers.json"
        self.stop_pause = stop_pause
        self.postgres = Postgres(home, pause=pause)
        self.valkey = Valkey(home, pause=pause)

    def start(self) -> dict[str, str]:
        """Start both; returns DATABASE_URL and REDIS_URL. Raises StartError; then call stop."""
        self.book.unlink(missing_ok=True)
        urls = {"REDIS_URL": self.valkey.start(), "DATABASE_URL": self.postgres.start()}
        write_private(self.book, json.dumps(urls))
        return urls

    def stop(self) -> list[str]:
        """Stop Valkey, then PostgreSQL; returns the names of those that had to be killed."""
        self.book.unlink(missing_ok=True)
        killed = []
        for name, server in (("Valkey", self.valkey), ("PostgreSQL", self.postgres)):
            server.pause = self.stop_pause
            if not server.stop():
                killed.append(name)
        return killed

    def children(self) -> list[Child]:
        return [child for child in (self.valkey.child, self.postgres.child) if child]
