"""Settings, from the environment. The README has the table of all the variables that are read here."""

from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from . import env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var")))

# Upstream: the real API where there is a key for it, the embedded emulator where there is none

OPENAI_API_KEY = env.key("OPENAI_API_KEY")
EMULATOR = OPENAI_API_KEY is None
OPENAI_BASE_URL = env.address("OPENAI_BASE_URL", "https://api.openai.com/v1")
OPENAI_ORG_ID = env.text("OPENAI_ORG_ID")
OPENAI_PROJECT_ID = env.text("OPENAI_PROJECT_ID")
CHATKIT_PROXY = env.address("CHATKIT_PROXY")
CHATKIT_DEADLINE = env.seconds("CHATKIT_DEADLINE", 20, most=300)
CHATKIT_CONNECT = env.seconds("CHATKIT_CONNECT", 3, most=60)
CHATKIT_MAX_BYTES = env.whole("CHATKIT_MAX_BYTES", 10 * 1024 * 1024, least=1024, most=2**30)
EMULATOR_THREADS = env.whole("EMULATOR_THREADS", 5000, least=0, most=10_000_000)
EMULATOR_LATENCY_MS = env.whole("EMULATOR_LATENCY_MS", 0, least=0, most=60_000)
# Where the emulator is that several processes ask; without it each has one of its own. `manage.py serve` sets it.
EMULATOR_URL = env.address("EMULATOR_URL")

# Archive

ARCHIVE = env.choice("ARCHIVE", "full", ["off", "threads", "full"])
# The emulator needs no sparing.
ARCHIVE_REQUESTS_PER_MINUTE = env.whole(
    "ARCHIVE_REQUESTS_PER_MINUTE", 1_000_000 if EMULATOR else 300, least=1, most=1_000_000
)
ARCHIVE_AT_ONCE = env.whole("ARCHIVE_AT_ONCE", 4, least=1, most=64)
ARCHIVE_EVERY = env.whole("ARCHIVE_EVERY", 2, least=1, most=24 * 60)
ARCHIVE_RECENT_PAGES = env.whole("ARCHIVE_RECENT_PAGES", 5, least=0, most=100)
ARCHIVE_RECHECK_HOURS = env.whole("ARCHIVE_RECHECK_HOURS", 24, least=1, most=24 * 365)
ARCHIVE_GONE = env.choice("ARCHIVE_GONE", "mark", ["mark", "purge"])
QUEUE_URL = env.queue("QUEUE_URL")
WORKER = env.flag("WORKER", default=True)

# Server

WORKER_CONNECTIONS = env.whole("WORKER_CONNECTIONS", 1000, least=1, most=10_000)
BEHIND_PROXY = env.flag("BEHIND_PROXY")
HTTPS = env.flag("HTTPS", default=BEHIND_PROXY)
DEBUG = False
ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])

_secret_key = env.secret("SECRET_KEY")
if _secret_key is None and not EMULATOR:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. It signs the sessions: set it to 50 or more random characters, or set SECRET_KEY_FILE "
        'to a file that holds them. python3 -c "import secrets; print(secrets.token_urlsafe(50))" makes some.'
    )
# Known to everybody, and good for nothing but the emulator's made-up data, which has a database of its own.
SECRET_KEY = _secret_key or "emulator-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ"

# Application

INSTALLED_APPS = [
    "threads",
    "threads.archive",
    "threads.audit",
    "threads.exports",
    "threads.erasure",
    "dashboard.apps.DeskAdmin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
]

MIDDLEWARE = [
    "dashboard.middleware.headers",
    "dashboard.middleware.tracing",
    "dashboard.middleware.remote_address",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "dashboard.middleware.health",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.middleware.SignInRequired",
    "dashboard.middleware.Acting",
    "dashboard.middleware.Allowed",
    "django.contrib.messages.middleware.MessageMiddleware",
    "dashboard.middleware.GiveBackConnection",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"environment": "dashboard.jinja.environment"},
    },
    {
        # The admin's own templates are written for Django's engine.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database

_database_url = env.text("DATABASE_URL")
if _database_url:
    DATABASES = {"default": dj_database_url.parse(_database_url, conn_health_checks=True)}
else:
    env.directory("DATA_DIR", DATA_DIR)
    _file = DATA_DIR / ("emulator.sqlite3" if EMULATOR else "threadkeeper.sqlite3")
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(_file)}}
_options = DATABASES["default"].setdefault("OPTIONS", {})
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    _options |= {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # A thousand requests may be under way in a process; this many of them can be in the database.
    _connections = env.whole("DATABASE_CONNECTIONS", 10, least=1, most=1000)
    _options["pool"] = {"min_size": 0, "max_size": _connections, "timeout": 10}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Signing in

LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
SESSION_ENGINE = "dashboard.sessions"
SESSION_RECHECK = env.whole("SESSION_RECHECK", 10, least=0, most=300)
AUTHENTICATION_BACKENDS = ["dashboard.sessions.Accounts"]
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "dashboard.views.csrf_failure"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Security

SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
# What the rest of somebody's domain does is not for this desk to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
X_FRAME_OPTIONS = "DENY"

# Static files

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(DATA_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 60

# Language and time

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

# Logging

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
}
