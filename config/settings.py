"""Settings of the one Django project; everything that differs between machines comes from the environment (config/env.py)."""

from pathlib import Path

from celery.schedules import crontab, schedule
from csp.constants import NONE, SELF
from django.conf import global_settings
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import env
from core.logs import logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))
SERVERS = env.running_servers(VAR_DIR)

DEBUG = env.flag("DEBUG")
DEMO = env.flag("DEMO")
SECRET_KEY = env.secret_key(VAR_DIR)
SECRET_KEY_FALLBACKS = env.listed("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.listed("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1],testserver")
CSRF_TRUSTED_ORIGINS = env.listed("CSRF_TRUSTED_ORIGINS")
PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{env.number('PORT', 8000)}").rstrip("/")
BEHIND_TLS = PUBLIC_URL.startswith("https://")

DATABASE_URL = env.text("DATABASE_URL") or SERVERS.get("DATABASE_URL", "")
REDIS_URL = env.text("REDIS_URL") or SERVERS.get("REDIS_URL", "redis://127.0.0.1:1/0")
BROKER_URL = env.text("BROKER_URL", REDIS_URL)

# Without a database address only what needs none works (explain_mail, checks); a query then says that nothing listens.
DATABASES = {"default": env.database(DATABASE_URL or "postgres://nobody@127.0.0.1:1/none")}
# Off behind a pooler that gives each transaction another connection (docs/adr/0008).
PREPARED_STATEMENTS = env.flag("PREPARED_STATEMENTS", default=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

OWN_APPS = [
    "core",
    "accounts",
    "stores",
    "customers",
    "sla",
    "escalation",
    "worklist",
    "omni",
    "loyalty",
    "knowledge",
    "orders",
    "tickets",
    "suggestions",
    "bots",
    "workstation",
    "reports",
    "demo",
]
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "config.panel.PanelConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "axes",
    "csp",
    "django_prometheus",
    "channels",
    *OWN_APPS,
]
MIDDLEWARE = [
    "core.middleware.RequestId",
    "core.middleware.DatabaseDown",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.middleware.AdminPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.ReaderLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "core.middleware.StorableRequest",
    "core.middleware.RefusalAnswer",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
# Threads that run pages and API calls in one web process; each keeps one database connection.
WEB_THREADS = env.number("WEB_THREADS", 8)

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "core.template_loader.LanguageLoader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_USER_MODEL = "accounts.Staff"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "accounts.backends.StaffBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
CSRF_FAILURE_VIEW = "core.views.stale_page"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_USERNAME_FORM_FIELD = "username"
AXES_RESET_ON_SUCCESS = True

# Who is signed in is known without Redis: a cache in front of the sessions would fail every page while it is away.
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("TRUST_PROXY") else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# The admin panel's look needs eval and style attributes (docs/adr); no other page inherits this.
ADMIN_SECURITY_POLICY = {
    "script-src": [SELF, "'unsafe-eval'"],
    "style-src": [SELF, "'unsafe-inline'"],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024
# Webhook bodies of all providers are far smaller; what is larger is kept cut, with the reason.
WEBHOOK_BODY_LIMIT = 1024 * 1024

LANGUAGE_CODE = "ru"
LANGUAGES = [("ru", _("Russian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Moscow"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = ["core.static.JoinedStyles", *global_settings.STATICFILES_FINDERS]
# Written in parts, served as one file.
JOINED_STYLES = ["workstation/desk.css"]
JOINED_ROOT = VAR_DIR / "joined"
MEDIA_ROOT = VAR_DIR / "media"
# Trained topic models, a folder each; which one is used stands in the database.
TOPIC_MODELS = VAR_DIR / "topic-models"
_collected = (STATIC_ROOT / "staticfiles.json").exists() and not DEBUG
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not _collected
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "core.static.ModuleManifestStorage" if _collected else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2, "retry": Retry(NoBackoff(), 1)},
    }
}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.tokens.TokenAuthentication", "rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.HasDeclaredRight"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.api_errors.api_exception",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Otklik",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "CaseState": "tickets.states.CaseState",
        "ItemState": "worklist.states.ItemState",
        "SendState": "omni.states.SendState",
        "CaseLinkKind": "tickets.models.links.CaseLink.Kind",
        "ItemKind": "worklist.states.Kind",
        "LinkKind": "tickets.api.belonging.LINKS",
        "MassJobKind": "tickets.models.mass.MassJob.Kind",
    },
    "SERVE_PERMISSIONS": ["accounts.permissions.HasDeclaredRight"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 300
CELERY_TASK_TIME_LIMIT = 360
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # an outage may last
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # every task is safe to run twice
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "unacked_restore_throttle": 1,
    "unacked_restore_interval": 5,
    "global_keyprefix": env.text("BROKER_PREFIX", "otklik:"),
    "socket_connect_timeout": 3,
    # Calling a task while the broker is away must not hold up a page: one quick try, then the sweep's turn.
    "max_retries": 0,
    "interval_start": 0,
}
CELERY_TASK_PUBLISH_RETRY = False  # what the queue did not take, a sweep over rows finds
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")
# Sweeps over rows: each finds work that is due, whatever Redis forgot. Seconds between two rounds.
CELERY_BEAT_SCHEDULE = {
    name: {"task": name, "schedule": schedule(seconds), "options": {"expires": max(seconds, 5) * 2}}
    for name, seconds in {
        "core.tasks.relay_live_events": 2,
        "core.tasks.purge_journals": 3600,
        "sla.tasks.mark_breaches": 5,
        "sla.tasks.apply_changes": 15,
        "escalation.tasks.tick_runs": 2,
        "escalation.tasks.start_due": 15,
        "escalation.tasks.send_notices": 2,
        "escalation.tasks.watch_runs": 30,
        "escalation.tasks.record_duty": 60,
        "worklist.tasks.fold_counters": 10,
        "omni.tasks.sweep_journal": 5,
        "omni.tasks.sweep_attempts": 5,
        "omni.tasks.sweep_notices": 5,
        "omni.tasks.sweep_polls": 5,
        "omni.tasks.sweep_attachments": 30,
        "omni.tasks.sweep_presence": 10,
        "omni.tasks.sweep_links": 60,
        "omni.tasks.renew_webhooks": 3600,
        "omni.tasks.sweep_templates": 3600,
        "omni.tasks.watch_silence": 60,
        "omni.tasks.sweep_offers": 2,
        "omni.tasks.sweep_calls": 60,
        "omni.tasks.distribute_waiting": 5,
        "omni.tasks.purge_chat": 3600,
        "loyalty.tasks.fold_house_accounts": 60,
        "loyalty.tasks.expire_reservations": 30,
        "loyalty.tasks.end_lots": 300,
        "loyalty.tasks.follow_merges": 60,
        "loyalty.tasks.tell_guests": 15,
        "loyalty.tasks.send_operations": 5,
        "loyalty.tasks.carry_on_imports": 10,
        "loyalty.tasks.prove_recent": 300,
        "tickets.tasks.ask_stores": 10,
        "tickets.tasks.tick_approvals": 30,
        "tickets.tasks.send_letters": 5,
        "tickets.tasks.look_for_duplicates": 10,
        "tickets.tasks.tell_main_tickets": 5,
        "tickets.tasks.add_missing_prints": 600,
        "tickets.tasks.find_bursts": 60,
        "tickets.tasks.carry_on_mass_jobs": 10,
        "tickets.tasks.tell_guests": 10,
        "workstation.tasks.wake_snoozed": 15,
        "workstation.tasks.sweep_held_closings": 10,
        "tickets.tasks.carry_on_waits": 60,
        "tickets.tasks.ring_call_backs": 15,
        "suggestions.tasks.note_choices": 300,
        "bots.tasks.sweep_turns": 5,
        "reports.tasks.count_closed": 60,
    }.items()
}
# In the small hours of Moscow; Celery counts in UTC.
CELERY_BEAT_SCHEDULE["suggestions.tasks.retrain_topics"] = {
    "task": "suggestions.tasks.retrain_topics",
    "schedule": crontab(hour=0, minute=20),
    "options": {"expires": 3600},
}
CELERY_BEAT_SCHEDULE["loyalty.tasks.prove_everything"] = {
    "task": "loyalty.tasks.prove_everything",
    "schedule": crontab(hour=0, minute=40),
    "options": {"expires": 3600},
}

CELERY_BEAT_SCHEDULE["customers.tasks.count_segments"] = {
    "task": "customers.tasks.count_segments",
    "schedule": crontab(hour=1, minute=0),
    "options": {"expires": 3600},
}

CELERY_BEAT_SCHEDULE["escalation.tasks.dry_run_maps"] = {
    "task": "escalation.tasks.dry_run_maps",
    "schedule": crontab(minute="20", hour="1"),
    "options": {"expires": 3600},
}

METRICS_TOKEN = env.text("METRICS_TOKEN")

# Notices to the staff themselves (a silent channel); guests are written to by the mailboxes of the channels.
EMAIL_HOST, EMAIL_PORT = env.text("NOTICE_SMTP_HOST", "127.0.0.1"), env.number("NOTICE_SMTP_PORT", 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = env.text("NOTICE_SMTP_USER"), env.text("NOTICE_SMTP_PASSWORD")
EMAIL_USE_TLS = env.flag("NOTICE_SMTP_TLS")
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.text("NOTICE_MAIL_FROM", "otklik@localhost")

UNFOLD = {
    "SITE_TITLE": _("Otklik"),
    "SITE_HEADER": _("Otklik"),
    "SITE_SYMBOL": "forum",
    "SHOW_HISTORY": True,
    "STYLES": [lambda _request: static("admin_otklik/admin.css")],
    "SIDEBAR": {"show_search": True, "navigation": "reports.navigation.sidebar"},
    "DASHBOARD_CALLBACK": "reports.dashboard.home",
    "COLORS": {
        "primary": {
            "50": "239 246 254", "100": "219 233 250", "200": "184 211 245", "300": "130 184 247", "400": "72 142 226", "500": "27 109 193",
            "600": "10 88 168", "700": "8 71 136", "800": "7 57 109", "900": "6 46 88", "950": "4 31 60",
        }
    },
}  # fmt: skip

SILENCED_SYSTEM_CHECKS: list[str] = []
PROMETHEUS_EXPORT_MIGRATIONS = False
LOGGING_CONFIG = None
LOG_JSON = env.flag("LOG_JSON", default=not DEBUG)
logging_settings(as_json=LOG_JSON, level=env.text("LOG_LEVEL", "INFO"))
