from dataclasses import asdict
from pathlib import Path

import pytest
from django.utils import timezone

from omni.models import Session
from suggestions import scoring
from suggestions.services import current, training
from tests import builders as b
from tickets.models import Topic
from tickets.services import opening, topics

NOW = timezone.now()
# Four topics; the names share no word with what the guests below write, except for the cold start.
TOPICS = {
    "late": ("Заказ опаздывает", "Назовите новое время от диспетчера."),
    "stale": ("Просрочка на полке", "Узнайте отдел и срок годности."),
    "points": ("Не начислены баллы", "Нужны дата и сумма чека."),
    "rude": ("Грубость сотрудника", "Запишите отдел и время."),
}
SAID = {
    "late": ("жду курьера второй час", "где мой курьер, гости за столом", "курьер всё не едет, час прошёл", "курьера нет с утра"),
    "stale": ("кефир с прошедшей датой", "йогурт старый, дата прошла", "на витрине старьё, дата вышла", "сыр с истёкшей датой"),
    "points": ("бонусы за покупку не упали", "где мои бонусы за вчера", "кэшбэк и бонусы не пришли", "бонусов не прибавилось"),
    "rude": ("кассирша наорала на меня", "продавщица хамит и орёт", "кассир нахамила мужу", "на нас орала кассирша"),
}


@pytest.fixture(autouse=True)
def models_of_their_own(settings, tmp_path):
    """Each test has its folder of models; nothing read in one test is kept for the next."""
    settings.TOPIC_MODELS = tmp_path / "models"
    current.forget()
    yield
    current.forget()


@pytest.fixture
def fit():
    """What trains. It imports scikit-learn, which takes longer than the other imports of a hundred files of tests."""
    from suggestions import fit

    return fit


@pytest.fixture
def quick_training(monkeypatch, fit):
    """Trains in this process, where scikit-learn is loaded once. The way through a process of its own has tests of its own."""

    def run(task, name):
        folder = current.folder_of(name)
        folder.mkdir(parents=True)
        before = Path(task["before"]) if task["before"] else None
        weights, report = fit.train(fit.Task(task["documents"], task["train"], task["held_out"], before))
        scoring.save(weights, folder)
        return asdict(report)

    monkeypatch.setattr(training, "_run", run)


@pytest.fixture
def tree(db):
    """Topics by code."""
    group = b.a_group("experts", "Эксперты")
    for code, (name, instruction) in TOPICS.items():
        b.a_topic(code, group, name=name, instruction=instruction, name_en=code)
    topics.forget()
    return {topic.code: topic for topic in Topic.objects.all()}


@pytest.fixture
def operator(db):
    return b.a_person(groups=[b.a_group(), b.a_group("experts", "Эксперты")])


@pytest.fixture
def write(db):
    """A guest writes in the web chat; the dialogue."""
    chat = b.an_account("webchat")

    def write(text, visitor="visitor-1", now=NOW):
        b.receive(chat, b.webchat_event(visitor, text, name="Анна"), now=now)
        return Session.objects.filter(messages__text=text).order_by("-pk").first()

    return write


@pytest.fixture
def history(tree, operator, write):
    """Cases that operators have opened: `each` of every topic."""

    def history(each, *, swap=None):
        for number in range(each):
            for code, said in SAID.items():
                session = write(f"{said[number % len(said)]} {'!' * (number % 5)}{number}", visitor=f"{code}-{number}")
                topic = tree[(swap or {}).get(code, code)]
                opening.open_ticket(session_id=session.pk, topic=topic, by=operator, now=NOW)

    return history
