"""Folded templates say what unfolded ones say."""

import pytest
from django.template import Context, Engine
from django.template.base import TextNode
from django.utils import translation

from core.template_loader import fold

SOURCES = (
    '{% load i18n %}a {% translate "Sign out" %} b',
    '{% load i18n %}{% translate "new" context "unread" %}',
    '{% load i18n %}{% translate "Sign out" as word %}{{ word }}!',
    "{% load i18n %}{% translate word %}|{{ word }}",
    '{% load i18n %}{% translate "Sign out"|upper %}',
    '{% load i18n %}{% if yes %}{% translate "Sign out" %}{% elif no %}x{% else %}{% translate "Desk" %}{% endif %}',
    '{% load i18n %}{% for one in many %}{% translate "Desk" %}{{ one }}{% empty %}{% translate "Sign out" %}{% endfor %}',
    "{% load i18n %}{% blocktranslate with name=word %}Profile: {{ name }}{% endblocktranslate %}",
    '{% load i18n %}{% block a %}{% translate "Desk" %}{% endblock %} & <b>',
    '{% load static %}{% static "icons/sprite.svg" %}{% static "icons/sprite.svg" as at %}{{ at }}',
)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("values", [{"yes": True, "many": []}, {"no": True, "word": "<Desk>", "many": [1, 2]}, {"many": "ab"}])
def test_folded_is_the_same(source, language, values):
    engine = Engine.get_default()
    with translation.override(language):
        plain, folded = engine.from_string(source), engine.from_string(source)
        fold(folded.nodelist)
        fold(folded.nodelist)
        assert folded.render(Context(values)) == plain.render(Context(values))


def test_constant_texts_are_folded_and_others_are_not():
    with translation.override("ru"):
        constant = Engine.get_default().from_string('{% load i18n %}a {% translate "Sign out" %} b')
        fold(constant.nodelist)
    [_load, text] = constant.nodelist
    assert isinstance(text, TextNode)
    assert text.s == "a Выйти b"


def test_each_language_has_its_own():
    engine = Engine.get_default()
    with translation.override("ru"):
        russian = engine.get_template("workstation/_nothing.html")
    with translation.override("en"):
        english = engine.get_template("workstation/_nothing.html")
        assert engine.get_template("workstation/_nothing.html") is english
    assert russian.render(Context()) != english.render(Context())
