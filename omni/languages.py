"""Which language a guest writes, as far as letters tell: enough to look for an operator who reads it."""

import re
from collections import Counter

# Letters that one alphabet has and its neighbours have not.
_OWN = {"kk": "әғқңұ", "uk": "їєґ", "tg": "ӣӯҷҳ", "az": "ə"}
_RANGES = {"hy": re.compile("[Ա-և]"), "ka": re.compile("[ა-ჿ]"), "zh": re.compile("[一-鿿]"), "ar": re.compile("[؀-ۿ]")}
_CYRILLIC, _LATIN = re.compile("[а-яё]"), re.compile("[a-z]")
ENOUGH = 3


def language_of(text: str) -> str:
    """Two letters (ISO 639-1), empty = too little to tell.

    Cyrillic is Russian unless letters of another language stand in it, Latin is English.
    """
    low = text.lower()
    for code, letters in _RANGES.items():
        if len(letters.findall(low)) >= ENOUGH:
            return code
    cyrillic, latin = len(_CYRILLIC.findall(low)), len(_LATIN.findall(low))
    own = _own_letters(low)
    if own and cyrillic + latin >= ENOUGH:
        return own
    if max(cyrillic, latin) < ENOUGH:
        return ""
    return "ru" if cyrillic >= latin else "en"


def _own_letters(low: str) -> str:
    """The language most of whose own letters are in the text."""
    letters = Counter(low)
    found = {code: sum(letters[letter] for letter in own) for code, own in _OWN.items()}
    best = max(found, key=lambda code: found[code])
    return best if found[best] else ""
