"""Django settings, from environment variables. The README lists them all."""

from datetime import timedelta
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from . import env
from .monitoring import logs

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var")))

# Upstream: the API if OPENAI_API_KEY is set, else the embedded emulator

OPENAI_API_KEY = env.header_secret("OPENAI_API_KEY")
# Serve the archive only: no key, no calls.
ARCHIVE_ONLY = env.flag("ARCHIVE_ONLY")
EMULATOR = OPENAI_API_KEY is None and not ARCHIVE_ONLY
OPENAI_BASE_URL = env.url("OPENAI_BASE_URL", "https://api.openai.com/v1")
OPENAI_ORG_ID = env.text("OPENAI_ORG_ID")
OPENAI_PROJECT_ID = env.text("OPENAI_PROJECT_ID")
CHATKIT_PROXY = env.proxy_url("CHATKIT_PROXY")
LONGEST_DEADLINE = 300
CHATKIT_DEADLINE = env.seconds("CHATKIT_DEADLINE", 20, most=LONGEST_DEADLINE)
CHATKIT_CONNECT = env.seconds("CHATKIT_CONNECT", 3, most=60)
CHATKIT_MAX_BYTES = env.integer("CHATKIT_MAX_BYTES", 10 * 1024 * 1024, least=1024, most=2**30)
EMULATOR_THREADS = env.integer("EMULATOR_THREADS", 5000, least=0, most=10_000_000)
EMULATOR_LATENCY_MS = env.integer("EMULATOR_LATENCY_MS", 0, least=0, most=60_000)
# The URL of an emulator shared by several processes. Without it each embeds one. `manage.py serve` sets it.
EMULATOR_URL = env.url("EMULATOR_URL")

# Archive

ARCHIVE = env.choice("ARCHIVE", "full", ["off", "threads", "full"])
if ARCHIVE_ONLY and ARCHIVE == "off":
    raise ImproperlyConfigured("ARCHIVE_ONLY is 1 and ARCHIVE is off, so there would be nothing to read. Unset one.")
# The emulator needs no rate limit.
ARCHIVE_REQUESTS_PER_MINUTE = env.integer(
    "ARCHIVE_REQUESTS_PER_MINUTE", 1_000_000 if EMULATOR else 300, least=1, most=1_000_000
)
ARCHIVE_AT_ONCE = env.integer("ARCHIVE_AT_ONCE", 4, least=1, most=64)
ARCHIVE_EVERY = env.integer("ARCHIVE_EVERY", 2, least=1, most=24 * 60)
ARCHIVE_RECENT_PAGES = env.integer("ARCHIVE_RECENT_PAGES", 5, least=0, most=100)
ARCHIVE_RECHECK_HOURS = env.integer("ARCHIVE_RECHECK_HOURS", 24, least=1, most=24 * 365)
ARCHIVE_RECHECK_ITEMS_HOURS = env.integer("ARCHIVE_RECHECK_ITEMS_HOURS", 24, least=1, most=24 * 365)
ARCHIVE_DELETIONS_PER_DAY = env.integer("ARCHIVE_DELETIONS_PER_DAY", 50, least=0, most=100_000_000)
ARCHIVE_GONE = env.choice("ARCHIVE_GONE", "mark", ["mark", "purge"])
QUEUE_URL = env.queue_url("QUEUE_URL")
if QUEUE_URL is None:
    env.make_directory("DATA_DIR", DATA_DIR)
WORKER = env.flag("WORKER", default=True)

# Erasure: retention, and the database size up to which it is vacuumed afterwards

RETENTION_DAYS = env.integer("RETENTION_DAYS", 0, least=0, most=36_500)
RETENTION_STATUS = env.comma_separated("RETENTION_STATUS", ["closed"])
# Erasures of made-up threads need no record.
_erasures_file = env.text("ERASURES_FILE")
ERASURES_FILE = Path(_erasures_file) if _erasures_file else None if EMULATOR else DATA_DIR / "erasures.jsonl"
ERASE_REWRITE_MB = env.integer("ERASE_REWRITE_MB", 256, least=0, most=10_000_000)

# Server

WORKER_CONNECTIONS = env.integer("WORKER_CONNECTIONS", 1000, least=1, most=10_000)
BEHIND_PROXY = env.flag("BEHIND_PROXY")
HTTPS = env.flag("HTTPS", default=BEHIND_PROXY)
DEBUG = False
ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
ALLOWED_HOSTS = env.comma_separated("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.comma_separated("CSRF_TRUSTED_ORIGINS", [])

_secret_key = env.secret("SECRET_KEY")
if _secret_key is None and not EMULATOR:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. It signs the sessions: set it to 50 or more random characters, or set SECRET_KEY_FILE "
        'to a file that holds them. python3 -c "import secrets; print(secrets.token_urlsafe(50))" makes some.'
    )
# The emulator's key is public: it protects made-up data in a database of its own.
SECRET_KEY = _secret_key or "emulator-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ"
# Previous keys, still accepted.
SECRET_KEY_FALLBACKS = env.secret_list("SECRET_KEY_FALLBACKS")

# Application

INSTALLED_APPS = [
    # Before dashboard.accounts, whose receivers use its lock state: axes has to handle a failed sign-in first.
    "axes",
    "threads",
    "threads.archive",
    "threads.audit",
    "threads.exports",
    "threads.erasure",
    "dashboard.accounts",  # before the admin, which would load its receivers in another order
    "dashboard.apps.DeskAdminConfig",
    "dashboard.databases",
    "dashboard.monitoring",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
]

MIDDLEWARE = [
    "dashboard.middleware.security_headers",
    "dashboard.middleware.assign_request_id",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.monitoring.metrics.count_requests",
    "dashboard.middleware.remote_address",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "dashboard.middleware.health_endpoints",
    "dashboard.middleware.limit_body_size",
    "dashboard.collect_static.StaticFiles",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "dashboard.accounts.middleware.expire_idle_session",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "threads.web.fetch_metadata.FetchMetadataMiddleware",
    "dashboard.accounts.fresh_rights.FreshRights",
    "dashboard.accounts.middleware.SignInRequired",
    "dashboard.accounts.middleware.AuditActor",
    "dashboard.accounts.middleware.RightsRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "dashboard.middleware.ReleaseConnection",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"environment": "dashboard.jinja.environment"},
    },
    {
        # The admin's templates need Django's engine.
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

_database_url = env.secret("DATABASE_URL")
if _database_url:
    try:
        DATABASES = {"default": dj_database_url.parse(_database_url)}
    except ValueError:
        # The value contains a password: keep it out of the message, and of the traceback (`from None`).
        raise ImproperlyConfigured(
            "DATABASE_URL takes an address such as postgres://user:password@host:5432/name. Characters such as @, / "
            "and # in a password are written as %40, %2F and %23."
        ) from None
else:
    env.make_directory("DATA_DIR", DATA_DIR)
    _file = DATA_DIR / ("emulator.sqlite3" if EMULATOR else "threadkeeper.sqlite3")
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(_file)}}
_options = DATABASES["default"].setdefault("OPTIONS", {})
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    _options |= {
        "transaction_mode": "IMMEDIATE",
        # Seconds to wait for a locked file: databases/sqlite.py. gunicorn.conf.py sets less.
        "timeout": env.seconds("SQLITE_WAIT", 20, most=300),
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=67108864;",
    }
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["ENGINE"] = "dashboard.databases.postgresql"
    # A process may have a thousand requests in progress; this many use the database at once.
    _connections = env.integer("DATABASE_CONNECTIONS", 10, least=1, most=1000)
    _options["pool"] = {"max_size": _connections, "timeout": 5}
    # Notice a server that disappears, as in a failover, within seconds. DATABASE_URL can override these.
    for _name, _seconds in (("connect_timeout", 5), ("keepalives_idle", 30), ("keepalives_interval", 5)):
        _options.setdefault(_name, _seconds)
    _options.setdefault("tcp_user_timeout", 10_000)
    # A server-side cursor lives in one connection; behind a pooler in transaction mode its next rows may be fetched
    # from another.
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Display

MASK_IDENTITIES = env.flag("MASK_IDENTITIES")
LIST_PREVIEWS = env.flag("LIST_PREVIEWS", default=True)

# Sign-in

LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
SESSION_ENGINE = "dashboard.accounts.session_store"
SESSION_RECHECK = env.integer("SESSION_RECHECK", 10, least=0, most=300)
SESSION_IDLE = env.integer("SESSION_IDLE", 60, least=1, most=12 * 60)
AUTHENTICATION_BACKENDS = [
    "dashboard.accounts.throttle.ThrottleBackend",
    "dashboard.accounts.backends.AccountBackend",
    "dashboard.sessions.Accounts",  # the name in sessions of version 0.1
]
SESSION_COOKIE_AGE = 12 * 60 * 60
# The browser accepts a `__Host-` cookie from this host only, over HTTPS, for all paths.
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "sessionid"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrftoken"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "dashboard.views.csrf_failure"
PASSWORD_HASHERS = ["dashboard.accounts.hashers.ThreadedPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Rate limit for sign-ins: see dashboard/accounts/throttle.py

SIGN_IN_TRIES = env.integer("SIGN_IN_TRIES", 10, least=3, most=1000)
SIGN_IN_TRIES_ADDRESS = env.integer("SIGN_IN_TRIES_ADDRESS", 50, least=3, most=100_000)
SIGN_IN_WAIT = env.integer("SIGN_IN_WAIT", 15, least=1, most=24 * 60)
# Sign-ins that wait in each process; further ones get 503.
SIGN_INS_WAITING = 50
AXES_FAILURE_LIMIT = SIGN_IN_TRIES
AXES_COOLOFF_TIME = timedelta(minutes=SIGN_IN_WAIT)
# Attempts during a lock do not extend it.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_HANDLER = "dashboard.accounts.throttle.FailureCounter"
AXES_USERNAME_CALLABLE = "dashboard.accounts.throttle.counted_name"
AXES_CLIENT_IP_CALLABLE = "dashboard.accounts.throttle.client_address"
AXES_LOCKOUT_CALLABLE = "dashboard.accounts.throttle.same_response"
# The audit log records both.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Single sign-on: see dashboard/accounts/sso.py

OIDC_ISSUER = env.issuer_url("OIDC_ISSUER")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = env.secret("OIDC_CLIENT_SECRET") or ""
OIDC_NAME = env.text("OIDC_NAME", "single sign-on")
OIDC_SCOPES = env.text("OIDC_SCOPES", "openid profile email")
OIDC_ROLES_CLAIM = env.text("OIDC_ROLES_CLAIM", "groups")
OIDC_ROLES = env.text("OIDC_ROLES", "")
LOCAL_PASSWORDS = env.flag("LOCAL_PASSWORDS", default=True)
if OIDC_ISSUER and not (OIDC_CLIENT_ID and OIDC_CLIENT_SECRET):
    raise ImproperlyConfigured("OIDC_ISSUER is set: set OIDC_CLIENT_ID and OIDC_CLIENT_SECRET too, or none of them.")
if not LOCAL_PASSWORDS and not OIDC_ISSUER:
    raise ImproperlyConfigured("LOCAL_PASSWORDS is 0 and OIDC_ISSUER is not set, so nobody could sign in.")

# Security

SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
# HSTS for subdomains and preloading are for the domain's owner to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
X_FRAME_OPTIONS = "DENY"
# No form takes a file; the longest is a page of selected rows.
FILE_UPLOAD_HANDLERS: list[str] = []
DATA_UPLOAD_MAX_NUMBER_FILES = 0
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# Static files

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(DATA_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "dashboard.collect_static.BundledStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 60

# Language and time

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

# Logs and metrics

LOG_FORMAT = env.choice("LOG_FORMAT", "line", ["line", "json"])
LOGGING = logs.config(LOG_FORMAT)
METRICS = env.flag("METRICS")
METRICS_TOKEN = env.secret("METRICS_TOKEN")
