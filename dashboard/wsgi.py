"""What the server runs."""

import os
from contextlib import suppress

from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connections
from django.template.loader import get_template
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
os.umask(0o077)  # what the server makes is for its own account alone, whichever server it is

application = get_wsgi_application()

from threads.archive import database_guard  # noqa: E402

from . import jinja  # noqa: E402  # it knows the accounts, which are there only now

# A database that is away, or not migrated, is for the pages to say.
with suppress(DatabaseError):
    database_guard.claim()
connections.close_all()

# What the first reader would otherwise wait for: the addresses and the templates, a tenth of a second.
get_resolver().url_patterns  # noqa: B018
for _name in jinja.templates():
    get_template(_name, using="jinja2")
