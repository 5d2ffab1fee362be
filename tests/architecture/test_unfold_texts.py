"""The admin panel's library brings no languages: every text that it can show has its Russian in our catalogue or in Django's."""

from pathlib import Path

import pytest
import unfold
from babel.messages.pofile import read_po
from django.apps import apps
from django.conf import settings
from django.utils import translation

from core import messages

FOLDER = Path(unfold.__file__).parent


def is_shown(place):
    """A part under contrib/ shows nothing unless it is installed as an app."""
    parts = Path(place).parts
    return parts[0] != "contrib" or apps.is_installed(f"unfold.contrib.{parts[1]}")


def texts():
    """What unfold says on our pages: context, and singular with plural."""
    found = [message for message in messages.texts_of("django", FOLDER) if message.id]
    shown = [message for message in found if any(is_shown(place) for place, _line in message.locations)]
    return {(message.context, message.id if isinstance(message.id, tuple) else (message.id,)) for message in shown}


def in_russian(context, forms):
    """Each form that Russian has, once."""
    one, *many = forms
    with translation.override("ru"):
        if many:
            return {
                translation.npgettext(context, one, many[0], n) if context else translation.ngettext(one, many[0], n) for n in (1, 2, 5)
            }
        return {translation.pgettext(context, one) if context else translation.gettext(one)}


def fields(text):
    return {percent or brace for percent, brace in messages.NAMED_FIELD.findall(text)}


def borrowed():
    path = Path(settings.LOCALE_PATHS[0]) / "ru" / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        marked = [message for message in read_po(file, locale="ru") if messages.BORROWED in message.user_comments]
    return {(message.context, message.id if isinstance(message.id, tuple) else (message.id,)) for message in marked}


@pytest.fixture(scope="module")
def said():
    found = texts()
    assert len(found) > 100, "unfold's texts were not found where they are looked for"
    return found


def test_every_text_of_unfold_has_its_russian(said):
    missing = sorted(forms[0] for context, forms in said if in_russian(context, forms) & set(forms))
    assert missing == [], "add them to locale/ru with the comment `# unfold`"


def test_fields_stay_as_they_are(said):
    wrong = [
        forms
        for context, forms in said
        for russian in in_russian(context, forms)
        if not any(fields(russian) == fields(form) for form in forms)
    ]
    assert wrong == []


def test_nothing_is_kept_that_unfold_no_longer_says(said):
    assert borrowed() - said == set()
    assert borrowed(), "the texts of unfold are marked in the catalogue"
