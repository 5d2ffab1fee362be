"""Brings the database up to date and, with --demo, gives an empty one its demo day: one process, because each start of one costs time."""

from typing import Any

from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="load the demo day if the base is empty")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False)
        if options["demo"] and "load_demo" in get_commands():
            call_command("load_demo", "--if-empty")
