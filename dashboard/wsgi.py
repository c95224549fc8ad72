"""The WSGI application."""

import os
from contextlib import suppress

from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connections
from django.template.loader import get_template
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
os.umask(0o077)  # files are for this OS account only, whichever server runs it

application = get_wsgi_application()

from threads.archive import database_guard  # noqa: E402

from . import jinja  # noqa: E402  # needs the apps to be loaded

# An unreachable or unmigrated database is reported by the pages.
with suppress(DatabaseError):
    database_guard.claim()
connections.close_all()

# Load URLs and templates now: the first request would take a tenth of a second longer.
get_resolver().url_patterns  # noqa: B018
for _name in jinja.template_names():
    get_template(_name, using="jinja2")
