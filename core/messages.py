"""Catalogues of translated texts: extracted, compared and compiled without the gettext programs, which a machine may lack.

What is a text to translate: the calls of django.utils.translation in Python, the translation tags in templates, and the calls of
Django's JavaScript catalogue in scripts. Texts of Python and templates are in the domain `django`, those of scripts in `djangojs`.
"""

import io
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

LANGUAGE = "ru"
DOMAINS = {"django": {".py", ".html", ".txt"}, "djangojs": {".js", ".mjs"}}
METHODS = {".js": "javascript", ".mjs": "javascript"}
KEYWORDS: dict[str, Any] = {
    "_": None,
    "_t": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# Nobody reads these in the product.
NOT_OURS = {"tests", "bench", "migrations", "var", "node_modules", "locale", "docs", "scripts"}
# A translator's comment on the text of a library that has no Russian of its own: no source of ours says it, yet it stays.
BORROWED = "unfold"
HEADER: dict[str, Any] = {
    "charset": "utf-8",
    "project": "Otklik",
    "version": "1",
    "header_comment": "# Russian texts of Otklik, kept up to date with the sources by `manage.py make_messages`.",
    "msgid_bugs_address": "Otklik",
    "last_translator": "Otklik",
    "language_team": "Otklik",
}
NAMED_FIELD = re.compile(r"%\((\w+)\)|\{(\w*)[^{}]*\}")


@dataclass(frozen=True)
class Gap:
    """A text whose translation cannot be shown, and why."""

    domain: str
    text: str
    reason: str
    places: tuple[str, ...]


def compile_catalogues() -> list[Path]:
    """Write each .mo file that was not made from its .po as it is now; returns those written. Fuzzy translations are left out."""
    written = []
    for po in sorted(path for folder in settings.LOCALE_PATHS for path in Path(folder).glob("*/LC_MESSAGES/*.po")):
        mo = po.with_suffix(".mo")
        if not mo.exists() or mo.stat().st_mtime_ns != po.stat().st_mtime_ns:
            _compile(po, mo)
            written.append(mo)
    return written


def find_gaps() -> list[Gap]:
    """Every text of the product without a usable translation into Russian."""
    return [gap for domain in DOMAINS for gap in _gaps(domain)]


def update_catalogues() -> list[Path]:
    """Bring the Russian .po files up to date with the texts; returns the files.

    New texts come in empty, dropped ones go; a text with the comment BORROWED stays.
    """
    return [_update(domain) for domain in DOMAINS]


def texts_of(domain: str, root: Path | None = None) -> Catalog:
    """The texts found under `root` (default: the project), each with its places."""
    root = root or Path(settings.BASE_DIR)
    found = Catalog(domain=domain)
    for path in sources(domain, root):
        place = path.relative_to(root).as_posix()
        for text, context, comments in texts_in(path):
            # A line number would change the catalogue with every edit of the file.
            found.add(text, locations=[(place, 0)], auto_comments=comments, context=context)
    return found


def sources(domain: str, root: Path) -> Iterator[Path]:
    """The files of a domain, in a stable order."""
    for folder, inside, names in os.walk(root):
        inside[:] = sorted(name for name in inside if name not in NOT_OURS and not name.startswith("."))
        for path in (Path(folder, name) for name in sorted(names)):
            if path.suffix in DOMAINS[domain] and (path.suffix != ".txt" or "templates" in path.relative_to(root).parts):
                yield path


def texts_in(path: Path) -> Iterator[tuple[Any, str | None, list[str]]]:
    """Each text of a file (a tuple: singular and plural), its context and the comments for translators."""
    source = path.read_text(encoding="utf-8")
    if path.suffix in {".html", ".txt"}:
        # The tokenizer would take the indentation of HTML for Python's.
        source = "\n".join(line.lstrip() for line in templatize(source, origin=str(path)).split("\n"))
    method = METHODS.get(path.suffix, "python")
    found = extract(
        method,
        io.BytesIO(source.encode()),
        keywords=KEYWORDS,
        comment_tags=("Translators:",),
        options={"parse_template_string": True},
        strip_comment_tags=True,
    )
    for _line, text, comments, context in found:
        yield text, context, comments


def _gaps(domain: str) -> Iterator[Gap]:
    translated = _read(_file(domain))
    for message in texts_of(domain):
        if message.id:
            reason = _fault(message, translated.get(_key(message), message.context))
            if reason:
                yield Gap(domain, _key(message), reason, tuple(sorted({place for place, _line in message.locations})))


def _fault(message: Message, translation: Message | None) -> str:
    if translation is None:
        return "not in the catalogue"
    if translation.fuzzy:
        return "marked fuzzy"
    given: Any = translation.string
    forms = [str(form or "") for form in (given if isinstance(given, tuple | list) else [given])]
    if not all(forms) or not forms:
        return "not translated"
    if message.pluralizable != translation.pluralizable:
        return "has plural forms on one side only"
    return _field_fault(_known_fields(message), forms)


def _known_fields(message: Message) -> set[str]:
    ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
    return {field for text in ids for field in _fields(str(text))}


def _field_fault(known: set[str], forms: Iterable[str]) -> str:
    unknown = {field for form in forms for field in _fields(form)} - known
    if unknown:
        return f"the translation names the unknown field {sorted(unknown)[0]!r}"
    missing = known - {field for form in forms for field in _fields(form)}
    return f"the translation leaves out the field {sorted(missing)[0]!r}" if missing else ""


def _fields(text: str) -> set[str]:
    return {percent or brace for percent, brace in NAMED_FIELD.findall(text)}


def _update(domain: str) -> Path:
    path = _file(domain)
    kept = _read(path)
    # The date of the first extraction stays: a new one would change the file although nothing else did.
    fresh = Catalog(
        locale=LANGUAGE, domain=domain, fuzzy=False, creation_date=kept.creation_date, revision_date=kept.creation_date, **HEADER
    )
    fresh.mime_headers = [(name, value) for name, value in kept.mime_headers if name in {"Content-Type", "Plural-Forms", "Language"}]
    for message in texts_of(domain):
        if message.id:
            old = kept.get(_key(message), message.context)
            same = old is not None and old.pluralizable == message.pluralizable
            fresh.add(
                message.id,
                old.string if old and same else None,
                locations=message.locations,
                flags=old.flags if old and same else message.flags,
                auto_comments=message.auto_comments,
                user_comments=old.user_comments if old else (),
                context=message.context,
            )
    _keep_borrowed(kept, fresh)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, fresh, width=120, sort_output=True, include_lineno=False, omit_header=False)
    return path


def _keep_borrowed(kept: Catalog, fresh: Catalog) -> None:
    for message in kept:
        if BORROWED in message.user_comments and fresh.get(_key(message), message.context) is None:
            fresh.add(message.id, message.string, flags=message.flags, user_comments=message.user_comments, context=message.context)


def _file(domain: str) -> Path:
    return Path(settings.LOCALE_PATHS[0]) / LANGUAGE / "LC_MESSAGES" / f"{domain}.po"


def _read(path: Path) -> Catalog:
    if not path.exists():
        return Catalog(locale=LANGUAGE)
    with path.open("rb") as file:
        return read_po(file, locale=LANGUAGE)


def _compile(po: Path, mo: Path) -> None:
    # Several processes may compile at once, and the source may change meanwhile: the .mo carries the time of what it was made from.
    draft, made_from = mo.with_suffix(f".{os.getpid()}.mo"), po.stat().st_mtime_ns
    with po.open("rb") as source, draft.open("wb") as target:
        write_mo(target, read_po(source, locale=po.parent.parent.name))
    os.utime(draft, ns=(made_from, made_from))
    draft.replace(mo)


def _key(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, tuple | list) else message.id)
