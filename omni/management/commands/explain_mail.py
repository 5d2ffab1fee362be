"""manage.py explain_mail FILE...: one JSON line a file, how a mail is understood."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from omni.channels.email.explanation import explain

HELP = """\
Print how each mail is understood: one JSON line a file, in the order given. "-" reads standard input.

Keys: message_id (without angle brackets, null when absent), subject, from, from_name, reply_to (addresses, null when absent),
to, cc (addresses), date (ISO 8601 with offset, null when absent or unreadable), text, html (made safe), visible_text (without quotes
and signature), attachments (name, type, size in bytes), machine (null, auto_reply, bounce, list, bulk, receipt, complaint, loop),
thread_keys, defects (in words).

thread_keys are shown as found, NOT verified (that needs the mailbox's key), most trusted first:
  plus:ADDRESS            a recipient of ours with a conversation in it (name+conversation.signature@domain)
  message-id:<ID>         In-Reply-To, then References from last to first
  subject:[#NUMBER-MARK]  our mark in the subject

Any bytes are explained. A path that cannot be read is told on stderr; the rest is handled and the command ends with 1.
Needs neither database nor Redis.
"""


class Command(BaseCommand):
    help = HELP
    requires_system_checks: list[str] | tuple[str, ...] = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a mail as it came by wire (.eml)")

    def handle(self, *args: Any, files: Sequence[str], **options: Any) -> None:
        unreadable = [name for name in files if not self._explained(name)]
        if unreadable:
            sys.exit(1)

    def _explained(self, name: str) -> bool:
        try:
            raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except (OSError, ValueError) as fault:
            reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
            self.stderr.write(f"{name} cannot be read: {reason}.")
            return False
        self.stdout.write(_one_line(explain(raw), str(getattr(self.stdout, "encoding", None) or "utf-8")))
        return True


def _one_line(explained: dict[str, Any], encoding: str) -> str:
    """JSON without characters that some readers take for line ends, and ASCII alone where the terminal knows no UTF-8."""
    line = json.dumps(explained, ensure_ascii=not encoding.lower().startswith("utf"))
    return line.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")
