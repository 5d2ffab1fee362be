"""Starts the whole product and stops it on one Ctrl-C.

HOST and PORT choose where (127.0.0.1:8000). Without DATABASE_URL and REDIS_URL an own PostgreSQL and Valkey are started in var/,
and an empty base gets a demo day; with both set no server is started, and the demo day needs DEMO=1.
"""

import importlib.util
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import get_commands
from django.core.management.base import BaseCommand, CommandError

from core.embedded.choices import choices
from core.embedded.errors import StartError
from core.embedded.static_files import collect_if_changed
from core.embedded.supervisor import Supervisor
from core.messages import compile_catalogues


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            chosen = choices()
            Supervisor(
                checkout=Path(settings.BASE_DIR),
                var=Path(settings.VAR_DIR),
                choices=chosen,
                parts=_parts(),
                prepare=lambda: self.prepare(compress=bool(chosen.outside)),
                announce=self.announce,
                say=self.say,
            ).run()
        except StartError as error:
            raise CommandError(str(error)) from None

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def prepare(self, *, compress: bool) -> None:
        compile_catalogues()
        if not settings.DEBUG:
            collect_if_changed(compress=compress)

    def announce(self, url: str) -> None:
        self.say("\n".join(["", f"Otklik runs at {url}", *_demo_lines(Path(settings.VAR_DIR) / "demo.json"), "Stop with Ctrl-C."]))


def _parts() -> set[str]:
    """Which optional parts this checkout has: commands by name, and `providers` (the provider servers of the demo)."""
    spec = importlib.util.find_spec("tests.providers") and importlib.util.find_spec("tests.providers.__main__")
    return {*get_commands(), *(["providers"] if spec else [])}


def _demo_lines(path: Path) -> list[str]:
    try:
        demo = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    sign_ins = [f"  {entry['role']}: {entry['login']} / {entry['password']}" for entry in demo.get("sign_ins", [])]
    pages = [f"  {page['title']}: {page['url']}" for page in demo.get("pages", [])]
    return [*(["Sign in as"] if sign_ins else []), *sign_ins, *(["Pages to try"] if pages else []), *pages]
