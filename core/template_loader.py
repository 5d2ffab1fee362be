"""Templates compiled once for each language: what is the same on every page of a language is worked out when the template is read.

A desk's page holds about a hundred `{% translate %}` of constant texts; looking each up again took a third of rendering it.
"""

from typing import Any

from django.template import Context
from django.template.base import Node, NodeList, Template, TextNode
from django.template.defaulttags import IfNode
from django.template.loaders import cached
from django.templatetags.i18n import TranslateNode
from django.templatetags.static import StaticNode
from django.utils.translation import get_language


class LanguageLoader(cached.Loader):
    """As Django's cached loader, with a cache for each language; constant translations and static addresses become text."""

    def cache_key(self, template_name: str, skip: Any = None) -> str:
        return f"{get_language()}:{super().cache_key(template_name, skip)}"

    def get_template(self, template_name: str, skip: Any = None) -> Template:
        """Raises django.template.TemplateDoesNotExist."""
        found = super().get_template(template_name, skip)
        if not getattr(found, "is_folded", False):
            fold(found.nodelist)
            found.is_folded = True  # type: ignore[attr-defined]
        return found


def fold(nodes: NodeList) -> None:
    """Replace the nodes that always render the same in the present language by their text, in place; twice is the same as once."""
    folded: list[Node] = []
    for node in nodes:
        for part in _parts(node):
            fold(part)
        made: Node = TextNode(node.render(Context())) if _is_constant(node) else node
        if folded and isinstance(made, TextNode) and isinstance(folded[-1], TextNode):
            made = TextNode(folded.pop().s + made.s)  # type: ignore[attr-defined]
        folded.append(made)
    nodes[:] = folded


def _parts(node: Node) -> list[NodeList]:
    # An IfNode shows its parts only as a copy.
    own = [part for _condition, part in node.conditions_nodelists] if isinstance(node, IfNode) else []
    return own + [value for value in vars(node).values() if isinstance(value, NodeList)]


def _is_constant(node: Node) -> bool:
    if isinstance(node, TranslateNode):
        named = (node.filter_expression, node.message_context)
        return not node.asvar and not node.noop and all(one is None or _is_literal(one) for one in named)
    return isinstance(node, StaticNode) and node.varname is None and _is_literal(node.path)


def _is_literal(expression: object) -> bool:
    """A quoted text without filters."""
    var, filters = getattr(expression, "var", None), getattr(expression, "filters", ())
    literal = isinstance(var, str) or getattr(var, "literal", None) is not None
    return literal and not filters
