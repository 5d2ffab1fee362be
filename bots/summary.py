"""What a person who takes over is told: pure. Russian on purpose: it becomes part of the stored feed like the guest's own words."""

from collections.abc import Mapping

from bots.engine import Place, Why

WHY = {
    Why.ASKED.value: "гость попросил оператора",
    Why.MISUNDERSTOOD.value: "бот не понял гостя",
    Why.SCRIPT.value: "так решает сценарий",
    Why.BROKEN.value: "бот не смог продолжить",
    Why.MESSAGE.value: "гость оставил сообщение в нерабочее время",
    Why.SILENT.value: "гость ждал оператора и замолчал",
    Why.FILE.value: "гость прислал файл",
    Why.LONG.value: "разговор затянулся",
    Why.UNSPOKEN.value: "у станции нет записи того, что надо было сказать",
}
NAMES = {
    "card": "номер карты",
    "order": "заказ",
    "store": "магазин",
    "question": "вопрос",
    "points": "баллов",
    "phone": "телефон",
    "article": "показана статья",
}
_HIDDEN = frozenset({"card", "phone"})


def described(dialogue: str, place: Place, why: Why) -> str:
    """The talk in a few lines: why a person is needed, what was chosen, what is known."""
    lines = [f"Бот «{dialogue}»: {WHY.get(why.value, why.value)}."]
    if place.why and place.why != why.value:
        lines.append(f"До того: {WHY.get(place.why, place.why)}.")
    if place.path:
        lines.append("Выбрано: " + " → ".join(place.path))
    known = [f"{NAMES.get(name, name)}: {_shown(name, value)}" for name, value in place.values.items() if value]
    if known:
        lines.append("Известно: " + "; ".join(known))
    return "\n".join(lines)


def _shown(name: str, value: str) -> str:
    """Numbers by which somebody could be robbed show their end only: the note is read by more people than the profile."""
    return f"…{value[-4:]}" if name in _HIDDEN else value[:200]


def place_from(kept: Mapping[str, object]) -> Place:
    """A place as a run keeps it."""
    return Place(**{**kept, "path": tuple(kept.get("path", ()))}) if kept else Place()  # type: ignore[arg-type]
