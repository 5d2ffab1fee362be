"""What a guest answers before the chat: checked against the site's questions, told to the operator as one line."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.refusal import Refusal
from core.text import first_line, storable
from omni.chat.sites import Field, Site

ANSWER_LIMIT = 300


class FormRefusal(Refusal):
    """Answers are missing or wrong; `fields` maps a question's name to a sentence."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("form", gettext_lazy("Please look at the answers again."), status=400)
        self.fields = dict(fields)


def check(site: Site, given: Any) -> dict[str, str]:
    """The answers by the questions' names, empty ones left out. Raises FormRefusal."""
    answers = {name: storable(str(value)).strip() for name, value in given.items()} if isinstance(given, dict) else {}
    faults = {question.name: fault for question in site.fields if (fault := _fault(question, answers.get(question.name, "")))}
    if faults:
        raise FormRefusal(faults)
    return {question.name: answers[question.name] for question in site.fields if answers.get(question.name)}


def _fault(question: Field, answer: str) -> str:
    if not answer:
        return _("Please fill this in.") if question.required else ""
    if len(answer) > ANSWER_LIMIT:
        return _("This is too long.")
    if question.type == "choice" and answer not in question.options:
        return _("Please choose one of the answers.")
    if question.type == "email" and ("@" not in answer or " " in answer):
        return _("An e-mail address has an @ and no spaces.")
    if question.type == "tel" and not 6 <= sum(char.isdigit() for char in answer) <= 15:
        return _("A telephone number has 6 to 15 digits.")
    return ""


def in_words(site: Site, answers: Mapping[str, str]) -> str:
    """The answers as a line for the operator; nobody has verified them."""
    lines = [f"{question.label}: {_answer(site, question, answers)}" for question in site.fields if question.name in answers]
    return first_line(" · ".join(lines), 1000)


def _answer(site: Site, question: Field, answers: Mapping[str, str]) -> str:
    if question.type == "consent":
        return _("given, version %(version)s") % {"version": site.consent_version or "1"}
    return answers[question.name]


def shown(fields: Sequence[Field]) -> list[dict[str, Any]]:
    """The questions as the widget draws them."""
    return [
        {
            "name": field.name,
            "type": field.type,
            "label": field.label,
            "required": field.required,
            "options": list(field.options),
            "autocomplete": field.autocomplete,
        }
        for field in fields
    ]
