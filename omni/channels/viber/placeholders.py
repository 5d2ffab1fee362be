"""What stands in the feed for content that has no text of its own, and why an event goes no further.

Russian on purpose and not translated per reader: it becomes part of the stored message, like the guest's own words.
"""

LABELS = {
    "contact": "контакт",
    "file": "файл",
    "location": "геопозиция",
    "picture": "фотография",
    "poll": "опрос",
    "rich_media": "карточка",
    "sticker": "стикер",
    "text": "пустой текст",
    "url": "ссылка",
    "video": "видео",
}

STARTED = "гость открыл чат и ещё ничего не написал"
WEBHOOK = "Viber проверил адрес вебхука"
NO_ID = "событие без номера сообщения или гостя"


def placeholder(kind: str, detail: str = "") -> str:
    """`[label] detail`: the label of a message type; an unlisted type is named as it is."""
    label = LABELS.get(kind) or (f"сообщение вида «{kind}»" if kind else "пустое сообщение")
    return f"[{label}] {detail}".rstrip()


def unused_event(event: str) -> str:
    """Why an event of this kind is kept but goes no further."""
    return f"событие вида «{event}» не обрабатывается"
