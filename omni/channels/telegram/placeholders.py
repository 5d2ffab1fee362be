"""What stands in the feed for content that has no text of its own.

Russian on purpose and not translated per reader: it becomes part of the stored message, like the guest's own words.
"""

LABELS = {
    "animation": "анимация",
    "audio": "аудиозапись",
    "button": "кнопка",
    "checklist": "список дел",
    "contact": "контакт",
    "dice": "кубик",
    "document": "файл",
    "game": "игра",
    "gift": "подарок",
    "giveaway": "розыгрыш",
    "invoice": "счёт",
    "location": "геопозиция",
    "paid_media": "платные материалы",
    "photo": "фотография",
    "pinned_message": "закреплено сообщение",
    "poll": "опрос",
    "sticker": "стикер",
    "story": "история",
    "successful_payment": "оплата",
    "text": "пустой текст",
    "unique_gift": "подарок",
    "venue": "место",
    "video": "видео",
    "video_note": "видеосообщение",
    "voice": "голосовое сообщение",
}

EMPTY = "[пустое сообщение]"
NOT_PRIVATE = "сообщение не из личного чата: обращениями становятся только личные чаты"
NOT_BLOCKED = "изменение участия бота, не связанное с блокировкой"
NO_PAYLOAD = "обновление без содержимого"


def placeholder(kind: str, detail: str = "") -> str:
    """`[label] detail`: the label of a content key of the Bot API; an unlisted key is named as it is."""
    label = LABELS.get(kind) or f"сообщение вида «{kind}»"
    return f"[{label}] {detail}".rstrip()


def unused_kind(kind: str) -> str:
    """Why an update of this kind is kept but goes no further."""
    return f"обновление вида «{kind}» не обрабатывается"
