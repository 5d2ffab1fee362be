"""Ozon's words as they are meant: its documentation spells some of them with Cyrillic letters, and their case differs."""

LOOK_ALIKE = str.maketrans("асеорхуктмнв", "aceopxyktmhb")


def folded(word: str) -> str:
    """The word in lower case and Latin letters only, `buyer_seller` for `Buyer_Seller` and for `Вuуer_Sеller`."""
    return word.casefold().translate(LOOK_ALIKE)


CUSTOMERS = frozenset({"customer", "buyer", "client"})
SELLERS = frozenset({"seller", "seller_support"})


def is_customer(kind: str) -> bool:
    """Whether a message's `user.type` is the buyer's."""
    return folded(kind) in CUSTOMERS


def is_with_buyer(kind: str) -> bool:
    """Whether a chat's type is one with a buyer; a type left out counts as one."""
    return folded(kind) in ("", "unspecified") or folded(kind).startswith(("buyer", "customer"))
