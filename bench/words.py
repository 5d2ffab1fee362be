"""Russian sentences for measured messages: varied, so that stems and indexes have real work."""

import json

_WHO = ("Добрый день!", "Здравствуйте.", "Вечер добрый,", "Подскажите, пожалуйста:", "Хочу пожаловаться.", "Ребята,", "Уважаемый магазин!")
_WHAT = (
    "в магазине на {street} лежит просроченный {thing}",
    "ценник на {thing} не совпал с чеком, магазин на {street}",
    "заказ с {thing} привезли на {street} с опозданием в полтора часа",
    "за {thing} не начислили баллы, касса на {street}",
    "кассир на {street} нагрубила, когда я спросила про {thing}",
    "на {street} снова нет в наличии: {thing}",
)
_THING = ("кефир", "творог", "сыр", "хлеб", "виноград", "форель", "молоко", "йогурт", "печенье", "кофе", "курица", "гречка", "огурцы")
_STREET = ("Лесной", "Садовой", "Мира", "Гагарина", "Тверской", "Полевой", "Заречной", "Советской", "Морской", "Невском", "Парковой")
_END = ("Верните деньги.", "Прошу разобраться.", "Жду ответа сегодня.", "Чек сохранила.", "Фото приложу позже.", "Спасибо заранее!")


def sentence(number: int) -> str:
    """A guest's message; the same number gives the same text, and its number stands at the end."""
    what = _WHAT[number % len(_WHAT)].format(thing=_THING[number % len(_THING)], street=_STREET[number % len(_STREET)])
    return f"{_WHO[number % len(_WHO)]} {what}. {_END[number % len(_END)]} Обращение {number}"


def telegram_update(number: int, *, chat: int) -> bytes:
    """The body of a webhook: update `number`, a message of the guest `chat`."""
    person = {"id": chat, "is_bot": False, "first_name": f"Гость {chat}"}
    message = {"message_id": number, "date": 1763762400, "from": person, "chat": {"id": chat, "type": "private"}, "text": sentence(number)}
    return json.dumps({"update_id": number, "message": message}, ensure_ascii=False).encode()
