"""Facts about the whole project that no single app can prove."""

import importlib
from pathlib import Path

from celery import current_app
from django.apps import apps
from django.conf import settings

from config.celery import QUEUES as ROUTES
from core.embedded.plan import BACKGROUND_QUEUES, QUEUES

ROOT = Path(settings.BASE_DIR)


def own_tasks():
    for app in settings.OWN_APPS:
        if (ROOT / app / "tasks.py").exists():
            importlib.import_module(f"{app}.tasks")
    return {name for name in current_app.tasks if name.split(".")[0] in settings.OWN_APPS}


def test_every_task_has_a_queue_and_every_queue_a_worker():
    assert own_tasks() == set(ROUTES)
    assert set(ROUTES.values()) <= {*QUEUES, *BACKGROUND_QUEUES}


def test_every_beat_entry_is_a_task():
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= own_tasks()


def test_personal_fields_are_fields():
    for model in apps.get_models():
        for name in getattr(model, "PERSONAL", ()):
            assert model._meta.get_field(name), f"{model.__name__}.{name}"


def test_models_with_names_or_texts_of_guests_say_so():
    suspicious = {"phone", "email", "text", "html", "preview", "display_name", "guest_name", "visible_text", "body"}
    allowed = {
        "accounts",
        "stores",
        "tickets.AnswerTemplate",
        "tickets.GuestText",
        "tickets.LetterText",
        "omni.MessageTemplate",
        "workstation.Draft",
        "loyalty.Alarm",
        "knowledge.Article",
        "bots.Step",
    }  # staff, shops and our own texts
    for model in apps.get_models():
        label = f"{model._meta.app_label}.{model.__name__}"
        if model._meta.app_label not in settings.OWN_APPS or label in allowed or model._meta.app_label in allowed:
            continue
        named = {field.name for field in model._meta.get_fields()} & suspicious
        assert named <= set(getattr(model, "PERSONAL", ())), label


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 80


def test_no_script_or_style_stands_in_a_template():
    offenders = []
    for template in ROOT.glob("**/templates/**/*.html"):
        if "var/" in str(template) or ".venv" in str(template) or "/admin/" in str(template) or "/mail/" in str(template):
            continue
        text = template.read_text()
        if " style=" in text or " onclick=" in text or "<style" in text or "hx-on" in text:
            offenders.append(str(template.relative_to(ROOT)))
        for script in text.split("<script")[1:]:
            if "src=" not in script.split(">")[0] and "application/json" not in script.split(">")[0]:
                offenders.append(str(template.relative_to(ROOT)))
    assert not offenders
