"""What stands in the feed for content that has no text of its own, and why an event goes no further.

Russian on purpose and not translated per reader: it becomes part of the stored message, like the guest's own words.
"""

LABELS = {
    "audio": "аудиозапись",
    "comment": "комментарий без текста",
    "fallback": "ссылка",
    "file": "файл",
    "image": "фотография",
    "ig_reel": "видео из ленты",
    "location": "геопозиция",
    "photo": "фотография",
    "poll": "опрос",
    "post": "запись без текста",
    "postback": "кнопка",
    "reaction": "реакция",
    "reel": "видео из ленты",
    "share": "ссылка",
    "status": "запись без текста",
    "sticker": "стикер",
    "story": "история",
    "story_mention": "упоминание в истории",
    "template": "карточка",
    "text": "пустой текст",
    "unsupported": "сообщение, которое Facebook не передаёт",
    "video": "видео",
}

ECHO = "наш собственный ответ"
OTHER_PAGE = "событие другой страницы: её ведёт другая учётная запись"
STANDBY = "переписку ведёт другое приложение"
OWN_COMMENT = "запись самой страницы"
NO_SENDER = "сообщение без отправителя"
NO_CONTENT = "событие без сообщений и записей"
NO_ID = "запись без номера"
REACTION_GONE = "реакция снята"


def placeholder(kind: str, detail: str = "") -> str:
    """`[label] detail`: the label of a type; an unlisted type is named as it is."""
    label = LABELS.get(kind) or (f"сообщение вида «{kind}»" if kind else "пустое сообщение")
    return f"[{label}] {detail}".rstrip()


def unused_kind(kind: str) -> str:
    """Why an event of this kind is kept but goes no further."""
    return f"событие вида «{kind}» не обрабатывается" if kind else NO_CONTENT
