"""In what forms a channel shows ready answers as buttons. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

LABEL = 64
"""Characters of a label that are kept with a message: no form has more."""


@dataclass(frozen=True)
class Keyboard:
    """One form: at most `most` buttons of `label` characters, under a text of at most `text` (None = as any text of the channel).

    `form` is the provider's name of it where a channel has several.
    """

    most: int
    label: int = LABEL
    text: int | None = None
    form: str = ""

    def holds(self, labels: Sequence[str], text: str) -> bool:
        """Whether these answers can be shown so; two that read the same could not be told apart."""
        fit = all(label.strip() and len(label) <= min(self.label, LABEL) for label in labels)
        return 0 < len(labels) <= self.most and fit and len(set(labels)) == len(labels) and (self.text is None or len(text) <= self.text)


def listed(text: str, labels: Sequence[str]) -> str:
    """The text with the ready answers under it as lines: what is left of a keyboard that the provider refuses.

    They have no numbers: which of them is the operator's is not known here, and a label that is typed means what a pressed one does.
    """
    return "\n".join([text, "", *(f"• {label}" for label in labels)]).strip() if labels else text


def keyboard_for(forms: Sequence[Keyboard], labels: Sequence[str], text: str) -> Keyboard | None:
    """The first form that shows these answers under this text; None = they are to be written as numbered lines."""
    return next((form for form in forms if form.holds(labels, text)), None)
