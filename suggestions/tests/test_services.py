"""Suggesting, choosing and training on the real database."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.db import connection

from core.locks import only_one
from core.models import AuditEntry
from core.refusal import Refusal
from omni.models import Session
from omni.services import conversations
from suggestions import scoring
from suggestions.models import ModelVersion, Suggestion, SuggestionRules, VersionState
from suggestions.selectors import offers, weeks
from suggestions.services import choosing, current, suggesting, training, words
from suggestions.tests.conftest import NOW
from tickets.models import Topic
from tickets.services import opening, topics

pytestmark = pytest.mark.django_db


def rules(**changed):
    SuggestionRules.objects.update_or_create(pk=1, defaults=changed)
    current.forget()


def trained(operator, **changed):
    rules(**{"least_cases": 1, "least_held_out": 1, **changed})
    return training.retrain(by=operator, now=NOW)


def test_before_any_case_topics_are_found_by_their_own_words(tree):
    found = suggesting.find("Мне не начислены баллы по чеку")
    assert found.version_id is None
    assert found.guesses[0].topic_id == tree["points"].pk
    [offer, *_rest] = offers(found.guesses)
    assert (offer.code, offer.name, 0 < offer.percent < 100) == ("points", "Не начислены баллы", True)


def test_a_message_brings_its_suggestion_and_the_next_one_renews_it(tree, write):
    session = write("Где мои баллы, почему не начислены")
    first = suggesting.on_message(session_id=session.pk, now=NOW)
    assert first.topics[0] == tree["points"].pk
    assert first.shown_at is None
    write("То есть не баллы: заказ опаздывает, заказ опаздывает", now=NOW + timedelta(minutes=1))
    again = suggesting.on_message(session_id=session.pk, now=NOW + timedelta(minutes=1))
    assert again.pk == first.pk
    assert again.topics[0] == tree["late"].pk
    assert Suggestion.objects.count() == 1


def test_what_is_shown_is_written_down_once(tree, write):
    session = write("Заказ опаздывает")
    later = NOW + timedelta(minutes=5)
    assert suggesting.show(session_id=session.pk, now=NOW).shown_at == NOW
    assert suggesting.show(session_id=session.pk, now=later).shown_at == NOW


def test_a_dialogue_without_words_of_the_guest_has_no_suggestion(tree, write, operator):
    session = write("Заказ опаздывает")
    session.messages.all().delete()
    assert suggesting.show(session_id=session.pk, now=NOW) is None
    session = write("?!", visitor="two")
    assert suggesting.show(session_id=session.pk, now=NOW).topics == []


def test_the_switch_turns_everything_off(tree, write):
    session = write("Заказ опаздывает")
    rules(is_on=False)
    assert suggesting.show(session_id=session.pk, now=NOW) is None
    assert suggesting.on_message(session_id=session.pk, now=NOW) is None
    assert suggesting.find("Заказ опаздывает").guesses == ()
    assert not Suggestion.objects.exists()


def test_a_topic_switched_off_is_not_suggested(tree, write):
    assert suggesting.find("Заказ опаздывает").guesses[0].topic_id == tree["late"].pk
    Topic.objects.filter(code="late").update(is_active=False)
    topics.forget()
    assert tree["late"].pk not in [guess.topic_id for guess in suggesting.find("Заказ опаздывает").guesses]


def test_a_dialogue_with_the_tickets_people_is_left_alone(tree, write, operator):
    session = write("Заказ опаздывает")
    conversations.take(session_id=session.pk, by=operator, now=NOW)
    opening.open_ticket(session_id=session.pk, topic=tree["late"], by=operator, now=NOW)
    conversations.close(session_id=session.pk, by=operator, now=NOW)
    assert Session.objects.get().state == "parked"
    assert suggesting.on_message(session_id=session.pk, now=NOW) is None


def test_a_likely_topic_is_told_to_the_distribution_when_the_rules_say_so(tree, write):
    session = write("заказ опаздывает опаздывает заказ")
    suggesting.on_message(session_id=session.pk, now=NOW)
    assert Session.objects.get().topics == []
    Suggestion.objects.all().delete()
    rules(for_distribution=True, likely_from=0.5)
    suggesting.on_message(session_id=session.pk, now=NOW)
    assert Session.objects.get().topics == ["late"]


def test_a_message_costs_few_questions(tree, write, django_assert_max_num_queries):
    session = write("Заказ опаздывает")
    suggesting.on_message(session_id=session.pk, now=NOW)
    write("Ну где он", now=NOW + timedelta(seconds=5))
    with django_assert_max_num_queries(4):
        suggesting.on_message(session_id=session.pk, now=NOW + timedelta(seconds=5))


def test_events_suggest_and_note_the_choice(tree, operator, write, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        session = write("Заказ опаздывает")
    suggestion = Suggestion.objects.get()
    assert (suggestion.session_id, suggestion.case) == (session.pk, None)
    suggesting.show(session_id=session.pk, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        case = opening.open_ticket(session_id=session.pk, topic=tree["rude"], by=operator, now=suggestion.at)
    suggestion.refresh_from_db()
    assert (suggestion.case, suggestion.chosen, suggestion.chosen_at) == (case, tree["rude"], case.opened_at)


def test_a_second_ticket_of_a_dialogue_has_a_suggestion_of_its_own(tree, operator, write):
    session = write("Заказ опаздывает")
    for code in ("late", "rude"):
        suggesting.show(session_id=session.pk, now=NOW)
        choosing.note(case_id=opening.open_ticket(session_id=session.pk, topic=tree[code], by=operator, now=NOW).pk)
    assert list(Suggestion.objects.order_by("pk").values_list("chosen__code", flat=True)) == ["late", "rude"]


def test_missed_choices_are_found_and_count_as_unseen(tree, operator, write):
    seen, unseen = write("Заказ опаздывает"), write("Где мои баллы", visitor="two")
    suggesting.show(session_id=seen.pk, now=NOW)
    for session, code in ((seen, "late"), (unseen, "rude")):
        opening.open_ticket(session_id=session.pk, topic=tree[code], by=operator, now=NOW)
    later = NOW + timedelta(minutes=10)
    assert choosing.note_missed(now=later) == 2
    assert choosing.note_missed(now=later) == 0
    [week] = weeks(now=later)
    assert (week.all.of, week.seen.of, week.unseen.of) == (2, 1, 1)
    assert (week.seen.at_one, week.unseen.at_one) == (1.0, 0.0)
    assert week.all.at_three == 0.5 + (tree["rude"].pk in Suggestion.objects.get(shown_at=None).topics) / 2


def test_suggestions_that_came_to_nothing_are_forgotten(tree, write):
    suggesting.show(session_id=write("Заказ опаздывает").pk, now=NOW)
    assert choosing.forget_unchosen(now=NOW + timedelta(days=29)) == 0
    assert choosing.forget_unchosen(now=NOW + timedelta(days=31)) == 1


def test_training_learns_the_operators_choices(history, tree, operator, write):
    history(12)
    cold = suggesting.find("курьера всё нет").guesses
    version = trained(operator)
    assert (version.state, version.cases + version.held_out, version.topics) == (VersionState.IN_USE, 48, 4), version.reason
    assert version.third >= version.before_third
    found = suggesting.find("курьера всё нет")
    assert (found.version_id, found.guesses[0].topic_id) == (version.pk, tree["late"].pk)
    assert found.guesses[0].confidence > max((guess.confidence for guess in cold if guess.topic_id == tree["late"].pk), default=0)
    assert AuditEntry.objects.get(action="topic_model.taken_over").subject == f"modelversion:{version.pk}"
    session = write("курьера всё нет", visitor="new")
    assert suggesting.show(session_id=session.pk, now=NOW).version_id == version.pk


@pytest.mark.usefixtures("quick_training")
def test_a_model_that_finds_less_is_not_taken_over(history, operator, tree, monkeypatch):
    history(12)
    good = trained(operator)
    chosen = words.choices(SuggestionRules())
    # Each text teaches every topic but its own, which then comes last.
    spoilt = [(text, other.pk) for text, topic in chosen.train for other in tree.values() if other.pk != topic]
    monkeypatch.setattr(words, "choices", lambda _rules: words.Choices(spoilt, chosen.held_out))
    rules(tolerated_loss=0.0)
    SuggestionRules.objects.update(least_held_out=1)
    bad = training.retrain(by=operator, now=NOW)
    assert (bad.state, bad.before_id) == (VersionState.REJECTED, good.pk), (bad.third, bad.before_third)
    assert bad.first < bad.before_first
    assert not current.folder_of(bad.folder).exists()
    good.refresh_from_db()
    assert good.state == VersionState.IN_USE


def test_a_training_that_breaks_is_told_and_changes_nothing(history, operator, monkeypatch):
    history(3)
    monkeypatch.setattr(words, "documents", lambda: {1: [("одна", 1.0)]})
    version = trained(operator)
    assert version.state == VersionState.FAILED
    assert "three topics" in version.reason
    assert list(current.folder_of("x").parent.iterdir()) == []


def test_a_training_that_takes_too_long_is_ended(history, operator, monkeypatch):
    history(3)
    monkeypatch.setattr(training, "MOST_SECONDS", 0.05)
    assert trained(operator).state == VersionState.FAILED


def test_too_few_cases_train_nothing(history, operator):
    history(3)
    assert trained(operator, least_cases=13) is None
    assert not ModelVersion.objects.exists()


def test_one_training_at_a_time(history, operator, monkeypatch):
    history(3)
    monkeypatch.setattr(training, "only_one", lambda _name: nullcontext(False))
    assert trained(operator) is None


def test_the_lock_is_the_databases():
    with only_one(training.LOCK) as mine, connection.cursor() as cursor:
        assert mine
        cursor.execute("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")
        assert cursor.fetchone()[0] == 1


@pytest.mark.usefixtures("quick_training")
def test_going_back_returns_to_the_version_before_and_to_the_tree(history, operator):
    history(4)
    first, second = (trained(operator, tolerated_loss=1) for _time in range(2))
    assert suggesting.find("курьер").version_id == second.pk
    assert training.go_back(by=operator, now=NOW) == first
    current.forget()
    assert suggesting.find("курьер").version_id == first.pk
    assert training.go_back(by=operator, now=NOW) is None
    current.forget()
    assert suggesting.find("курьер").version_id is None
    with pytest.raises(Refusal):
        training.go_back(by=operator, now=NOW)


@pytest.mark.usefixtures("quick_training")
def test_old_versions_lose_their_files_and_keep_their_scores(history, operator):
    history(3)
    made = [trained(operator, kept_versions=1, tolerated_loss=1) for _time in range(3)]
    states = [ModelVersion.objects.get(pk=version.pk).state for version in made]
    assert states == [VersionState.REMOVED, VersionState.KEPT, VersionState.IN_USE]
    assert [current.folder_of(version.folder).exists() for version in made] == [False, True, True]


def test_a_missing_file_falls_back_to_the_trees_words(tree):
    ModelVersion.objects.create(state=VersionState.IN_USE, made_at=NOW)
    current.forget()
    assert suggesting.find("Заказ опаздывает").version_id is None


@pytest.mark.usefixtures("quick_training")
def test_the_model_in_use_is_read_once(history, operator, monkeypatch):
    history(3)
    trained(operator)
    reads = []
    monkeypatch.setattr(scoring, "load", lambda folder, real=scoring.load: reads.append(folder) or real(folder))
    for _time in range(3):
        suggesting.find("курьер")
    assert len(reads) == 1


def test_the_text_of_a_case_is_what_was_said_before_it(tree, operator, write):
    session = write("Заказ опаздывает")
    case = opening.open_ticket(session_id=session.pk, topic=tree["late"], by=operator, now=NOW)
    write("И ещё мне нахамили", now=NOW + timedelta(hours=1))
    [(pk, topic, text)] = words.said_before(type(case).objects.filter(pk=case.pk))
    assert (pk, topic, text) == (case.pk, tree["late"].pk, "Заказ опаздывает")


def test_a_topic_has_at_most_its_share_of_the_cases(history):
    history(5)
    chosen = words.choices(SuggestionRules(most_of_topic=2))
    assert len(chosen.train) + len(chosen.held_out) == 8
