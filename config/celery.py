"""The Celery application: work outside requests. Queues separate what a person waits for from what may wait."""

import os
import sys
from typing import Any

import structlog
from celery import Celery
from celery.signals import setup_logging, task_postrun, task_prerun, worker_before_create_process
from django.db import close_old_connections

from config.garbage import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("otklik")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery would open a connection to the database for each task, which costs more than most tasks do.
app.conf.CELERY_DB_REUSE_MAX = sys.maxsize
app.autodiscover_tasks()

# A task's queue, by its full name; tests/architecture proves that each task is listed.
QUEUES = {
    "core.tasks.relay_live_events": "chat",
    "core.tasks.purge_journals": "bulk",
    "customers.tasks.count_segments": "bulk",
    "sla.tasks.mark_breaches": "sla",
    "sla.tasks.apply_changes": "bulk",
    "escalation.tasks.tick_runs": "sla",
    "escalation.tasks.start_due": "sla",
    "escalation.tasks.send_notices": "outgoing",
    "escalation.tasks.watch_runs": "default",
    "escalation.tasks.record_duty": "default",
    "escalation.tasks.dry_run_maps": "bulk",
    "worklist.tasks.fold_counters": "default",
    "omni.tasks.process_event": "chat",
    "omni.tasks.drain_journal": "chat",
    "omni.tasks.sweep_journal": "chat",
    "omni.tasks.name_guest": "default",
    "omni.tasks.poll_account": "default",
    "omni.tasks.sweep_polls": "default",
    "omni.tasks.send_attempt": "outgoing",
    "omni.tasks.sweep_attempts": "outgoing",
    "omni.tasks.fall_back": "outgoing",
    "omni.tasks.send_notice": "outgoing",
    "omni.tasks.ask_about_notice": "default",
    "omni.tasks.sweep_notices": "outgoing",
    "omni.tasks.fetch_attachment": "default",
    "omni.tasks.sweep_attachments": "default",
    "omni.tasks.sweep_presence": "chat",
    "omni.tasks.link_guest": "default",
    "omni.tasks.sweep_links": "default",
    "omni.tasks.renew_webhooks": "default",
    "omni.tasks.sweep_templates": "default",
    "omni.tasks.watch_silence": "default",
    "omni.tasks.acknowledge_event": "chat",
    "omni.tasks.sweep_offers": "chat",
    "omni.tasks.sweep_calls": "default",
    "omni.tasks.distribute_waiting": "chat",
    "omni.tasks.purge_chat": "bulk",
    "suggestions.tasks.retrain_topics": "bulk",
    "suggestions.tasks.note_choices": "bulk",
    "loyalty.tasks.fold_house_accounts": "default",
    "loyalty.tasks.expire_reservations": "default",
    "loyalty.tasks.end_lots": "bulk",
    "loyalty.tasks.follow_merges": "default",
    "loyalty.tasks.tell_guests": "outgoing",
    "loyalty.tasks.send_operations": "outgoing",
    "loyalty.tasks.carry_on_imports": "bulk",
    "loyalty.tasks.prove_recent": "bulk",
    "loyalty.tasks.prove_everything": "bulk",
    "tickets.tasks.ask_stores": "default",
    "tickets.tasks.tick_approvals": "default",
    "tickets.tasks.send_letters": "outgoing",
    "tickets.tasks.look_for_duplicates": "default",
    "tickets.tasks.tell_main_tickets": "chat",
    "tickets.tasks.add_missing_prints": "bulk",
    "tickets.tasks.find_bursts": "default",
    "tickets.tasks.carry_on_mass_jobs": "bulk",
    "tickets.tasks.tell_guests": "outgoing",
    "bots.tasks.answer_turn": "chat",
    "bots.tasks.sweep_turns": "chat",
    "bots.tasks.lead_caller": "chat",
    "tickets.tasks.carry_on_waits": "default",
    "tickets.tasks.ring_call_backs": "default",
    "workstation.tasks.wake_snoozed": "default",
    "workstation.tasks.close_held": "chat",
    "workstation.tasks.sweep_held_closings": "default",
    "reports.tasks.count_closed": "bulk",
}
app.conf.task_routes = {name: {"queue": queue} for name, queue in QUEUES.items()}


@setup_logging.connect
def keep_our_logging(**_kwargs: Any) -> None:
    """Celery would replace the log format that the settings have set."""


@task_prerun.connect
def name_the_work_in_the_log(task_id: str, task: Any, **_kwargs: Any) -> None:
    """Every log line of a task carries its id, and the id of the request that called for it."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task_id=task_id, request_id=task.request.get("request_id") or task_id)


@task_prerun.connect
@task_postrun.connect
def keep_good_connections(**_kwargs: Any) -> None:
    """A connection is kept between tasks as between requests: by CONN_MAX_AGE and while it answers."""
    close_old_connections()


@worker_before_create_process.connect
def share_what_is_loaded(**_kwargs: Any) -> None:
    """Children have in common with their parent what they never look through."""
    settle()
