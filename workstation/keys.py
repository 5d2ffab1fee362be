"""Single keys of the desk: the key a deed has from the start, and the keys a person may give it instead.

A key is named by its place on the keyboard (`code` of a keyboard event, W3C UI Events: "KeyE"), with "Shift+" before it when Shift
is held; "" = no key. So a key is the same one in every layout.
"""

import string
from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal

SHIFT = "Shift+"
DEFAULTS: Mapping[str, str] = {
    "next": "KeyJ",
    "previous": "KeyK",
    "urgent": "KeyU",
    "answer": "KeyR",
    "note": "KeyN",
    "assign": "KeyA",
    "snooze": "KeyS",
    "finish": "KeyE",
    "finish_next": "Shift+KeyE",
    "ticket": "KeyT",
    "topic": "KeyL",
    "compare": "KeyD",
    "compensate": "KeyC",
    "priority": "KeyP",
    "knowledge": "KeyB",
    "history": "KeyH",
    "orders": "KeyO",
    "guest": "KeyI",
    "pick": "KeyX",
    "undo": "KeyZ",
    "ready": "Shift+KeyA",
    "tab_mine": "Digit1",
    "tab_queue": "Digit2",
    "tab_group": "Digit3",
    "tab_snoozed": "Digit4",
    "tab_all": "Digit5",
    "fold_list": "BracketLeft",
    "fold_panel": "BracketRight",
    "find": "Slash",
}
_SIGNS = {
    "Backquote": "`",
    "Minus": "-",
    "Equal": "=",
    "BracketLeft": "[",
    "BracketRight": "]",
    "Backslash": "\\",
    "Semicolon": ";",
    "Quote": "'",
    "Comma": ",",
    "Period": ".",
    "Slash": "/",
}
# What is printed on the places that may be chosen. All others move the focus, write or belong to the browser.
CAPS: Mapping[str, str] = {
    **{f"Key{letter}": letter for letter in string.ascii_uppercase},
    **{f"Digit{digit}": digit for digit in string.digits},
    **_SIGNS,
}
# The question mark always opens the overview of keys: by these places on a Latin and on a Russian keyboard.
RESERVED = frozenset({"Shift+Slash", "Shift+Digit7"})


def is_allowed(key: str) -> bool:
    """Whether a person may give the key to a deed."""
    return not key or (key.removeprefix(SHIFT) in CAPS and key not in RESERVED)


def cap(key: str) -> str:
    """The key as people read it: "Shift E"; "" for no key."""
    place = key.removeprefix(SHIFT)
    return CAPS.get(place, "") if place == key else f"Shift {CAPS.get(place, '')}"


def effective(own: Mapping[str, object]) -> dict[str, str]:
    """The key of each deed for a person with these own keys. No two deeds have one key: an own key takes it from a default."""
    chosen = {deed: key for deed, key in own.items() if deed in DEFAULTS and isinstance(key, str) and is_allowed(key)}
    taken: set[str] = set()
    for deed, key in chosen.items():
        chosen[deed] = "" if key in taken else key
        taken.add(key)
    return {deed: chosen.get(deed, "" if key in taken else key) for deed, key in DEFAULTS.items()}


def check(wanted: Mapping[str, object]) -> dict[str, str]:
    """The own keys to keep for a person who wants these: only what differs from the defaults. Deeds that are not named keep theirs,
    unless a wanted key is theirs (somebody who may not do a deed never sees that it has a key).

    Raises Refusal: an unknown deed, a key that cannot be given, one key for two deeds.
    """
    keys: dict[str, str] = {}
    for deed, key in wanted.items():
        if deed not in DEFAULTS or not isinstance(key, str):
            raise Refusal("bad_key", _("There is no such command."), status=400)
        if not is_allowed(key):
            raise Refusal("key_reserved", _("This key cannot be chosen: it writes, moves the focus or belongs to the browser."), status=400)
        if key and key in keys.values():
            raise Refusal("key_double", _("The key %(key)s is given to two commands.") % {"key": cap(key)}, status=400)
        keys[deed] = key
    return {deed: key for deed, key in keys.items() if key != DEFAULTS[deed]}
