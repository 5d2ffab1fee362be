"""What stands in the feed for content that has no text of its own.

Russian on purpose and not translated per reader: it becomes part of the stored message, like the guest's own words.
"""

LABELS = {
    "audio": "аудиозапись",
    "button": "кнопка",
    "contacts": "контакт",
    "document": "файл",
    "form": "анкета",
    "image": "фотография",
    "interactive": "ответ на кнопки",
    "location": "геопозиция",
    "order": "заказ",
    "poll": "опрос",
    "reaction": "реакция",
    "sticker": "стикер",
    "system": "служебное сообщение",
    "text": "пустой текст",
    "unsupported": "сообщение, которое WhatsApp не передаёт",
    "video": "видео",
    "voice": "голосовое сообщение",
}

OTHER_NUMBER = "событие другого номера: его ведёт другая учётная запись"
GROUP = "сообщение из группы: обращениями становятся только личные переписки"
NO_SENDER = "сообщение без отправителя"
NO_CONTENT = "событие без сообщений и статусов"
REACTION_GONE = "реакция снята"
WELCOME = "гость открыл переписку и ещё ничего не написал"
UNKNOWN_ORIGINAL = "правка или удаление без номера сообщения"


def placeholder(kind: str, detail: str = "") -> str:
    """`[label] detail`: the label of a message type; an unlisted type is named as it is."""
    label = LABELS.get(kind) or (f"сообщение вида «{kind}»" if kind else "пустое сообщение")
    return f"[{label}] {detail}".rstrip()


def unused_field(field: str) -> str:
    """Why a change of this field is kept but goes no further."""
    return f"поле «{field}» не обрабатывается"


def changed_number(old: str, new: str) -> str:
    return f"гость сменил номер: был {old}, теперь {new}"


def account_error(code: str, text: str) -> str:
    return f"ошибка учётной записи {code}: {text}".strip()


def unused_status(status: str) -> str:
    return f"статус «{status}» не обрабатывается"
