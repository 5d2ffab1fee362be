"""An answer from the knowledge base."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from bots.engine import Result
from bots.skills.contract import Asking, Skill
from knowledge.selectors import find_articles


def _answer(asking: Asking, values: Mapping[str, str]) -> Result:
    found = find_articles(values.get("question", ""), limit=1)
    if not found or not found[0].is_sure:
        return Result("none")
    article = found[0].article
    return Result("done", article.answer, {"article": article.title})


KNOWLEDGE = Skill(
    "knowledge", _("Answer from the knowledge base"), {"done": _("answered"), "none": _("nothing fits")}, _answer, ("question",)
)
