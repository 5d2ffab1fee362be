"""Texts to translate: found, compared, written and compiled without the gettext programs."""

import gettext
import os

import pytest
from babel.messages.pofile import read_po, write_po

from core import messages

PYTHON = """
from django.utils.translation import gettext as _, ngettext, pgettext
a = _("Plain")
b = _("Joined "
      "in two lines")
c = ngettext("%(count)d case", "%(count)d cases", n) % {"count": n}
d = pgettext("month", "May")
e = _t("In a module that keeps the lazy one as _")
"""
TEMPLATE = """
{% load i18n %}
  <p title="{% translate "Title's text" %}">{{ _("In a variable") }}
      {% blocktranslate count n=n trimmed %}
          One message
          of {{ name }}
    {% plural %}
          {{ n }} messages of {{ name }}
      {% endblocktranslate %}
  {% translate "May" context "permission" %}</p>
    {{ value|default:_("Nothing yet") }}
"""
SCRIPT = """
export function show(n) { return gettext("From a script") + ngettext("%s new", "%s new ones", n); }
export const word = (name) => `${gettext("Inside a sentence")} · ${name}`;
"""


@pytest.fixture
def project(tmp_path, settings):
    (tmp_path / "shop" / "templates").mkdir(parents=True)
    (tmp_path / "shop" / "views.py").write_text(PYTHON)
    (tmp_path / "shop" / "templates" / "page.html").write_text(TEMPLATE)
    (tmp_path / "shop" / "page.js").write_text(SCRIPT)
    for closed in ("tests", ".venv"):
        (tmp_path / closed).mkdir()
        (tmp_path / closed / "code.py").write_text('_("Not ours")')
    settings.BASE_DIR = tmp_path
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    return tmp_path


def found(domain):
    return {(message.context, message.id) for message in messages.texts_of(domain) if message.id}


def test_texts_of_python_and_templates_are_found(project):
    assert found("django") == {
        (None, "Plain"),
        (None, "Joined in two lines"),
        (None, ("%(count)d case", "%(count)d cases")),
        ("month", "May"),
        (None, "In a module that keeps the lazy one as _"),
        ("permission", "May"),
        (None, "Title's text"),
        (None, "In a variable"),
        (None, ("One message of %(name)s", "%(n)s messages of %(name)s")),
        (None, "Nothing yet"),
    }


def test_texts_of_scripts_have_their_own_catalogue(project):
    assert found("djangojs") == {(None, "From a script"), (None, ("%s new", "%s new ones")), (None, "Inside a sentence")}


def po(project, domain="django"):
    return project / "locale" / "ru" / "LC_MESSAGES" / f"{domain}.po"


def translate(path, text, *forms):
    """Fill in the translation of one text, as a translator would."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale="ru")
    message = next(entry for entry in catalogue if text in (entry.id if isinstance(entry.id, tuple) else (entry.id,)))
    message.string = forms if len(forms) > 1 else forms[0]
    with path.open("wb") as file:
        write_po(file, catalogue)


def gaps():
    return {gap.text: gap.reason for gap in messages.find_gaps()}


def test_a_text_is_a_gap_until_it_is_translated(project):
    assert gaps()["Plain"] == "not in the catalogue"
    messages.update_catalogues()
    assert gaps()["Plain"] == "not translated"
    translate(po(project), "Plain", "Просто")
    assert "Plain" not in gaps()


def test_plurals_need_every_form_and_the_same_fields(project):
    messages.update_catalogues()
    case = "%(count)d case"
    translate(po(project), case, "%(count)d дело", "%(count)d дела", "")
    assert gaps()[case] == "not translated"
    translate(po(project), case, "%(count)d дело", "%(count)d дела", "%(number)d дел")
    assert gaps()[case] == "the translation names the unknown field 'number'"
    translate(po(project), case, "дело", "дела", "дел")
    assert gaps()[case] == "the translation leaves out the field 'count'"
    translate(po(project), case, "%(count)d дело", "%(count)d дела", "%(count)d дел")
    assert case not in gaps()


def test_a_fuzzy_translation_does_not_count(project):
    messages.update_catalogues()
    translate(po(project), "Plain", "Просто")
    po(project).write_text(po(project).read_text().replace('msgid "Plain"', '#, fuzzy\nmsgid "Plain"'))
    assert gaps()["Plain"] == "marked fuzzy"


def test_an_update_keeps_translations_and_drops_what_is_no_longer_said(project):
    messages.update_catalogues()
    translate(po(project), "Plain", "Просто")
    translate(po(project), "In a variable", "В переменной")
    (project / "shop" / "templates" / "page.html").unlink()
    messages.update_catalogues()
    text = po(project).read_text()
    assert "Просто" in text
    assert "В переменной" not in text
    messages.update_catalogues()
    assert po(project).read_text() == text


def test_an_update_keeps_what_a_library_says(project):
    messages.update_catalogues()
    with po(project).open("rb") as file:
        catalogue = read_po(file, locale="ru")
    catalogue.add("Expand row", "Раскрыть строку", user_comments=[messages.BORROWED])
    catalogue.add("One row", "Одна строка")
    with po(project).open("wb") as file:
        write_po(file, catalogue)
    messages.update_catalogues()
    messages.update_catalogues()
    text = po(project).read_text()
    assert "Раскрыть строку" in text
    assert "Одна строка" not in text
    assert "Expand row" not in gaps()


def test_a_compiled_catalogue_speaks_russian_and_follows_its_source(project):
    messages.update_catalogues()
    translate(po(project), "%(count)d case", "%(count)d дело", "%(count)d дела", "%(count)d дел")
    assert [path.name for path in messages.compile_catalogues()] == ["django.mo", "djangojs.mo"]
    assert messages.compile_catalogues() == []
    speaks = gettext.translation("django", project / "locale", ["ru"])
    forms = [speaks.ngettext("%(count)d case", "%(count)d cases", count) % {"count": count} for count in (1, 3, 5, 21, 111)]
    assert forms == ["1 дело", "3 дела", "5 дел", "21 дело", "111 дел"]


def test_a_catalogue_compiled_while_its_source_changed_is_compiled_again(project):
    messages.update_catalogues()
    messages.compile_catalogues()
    translate(po(project), "Plain", "Просто")
    late = po(project).stat().st_mtime_ns + 10**9
    os.utime(po(project).with_suffix(".mo"), ns=(late, late))
    assert [path.name for path in messages.compile_catalogues()] == ["django.mo"]


def test_a_broken_template_is_named(project):
    (project / "shop" / "templates" / "page.html").write_text("{% blocktranslate %}{% if a %}{% endblocktranslate %}")
    with pytest.raises(SyntaxError, match=r"page\.html"):
        messages.find_gaps()
