"""What the server runs."""

import os

from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import get_resolver

from dashboard import jinja

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

application = get_wsgi_application()

# What the first reader would otherwise wait for: the addresses and the templates, a tenth of a second.
get_resolver().url_patterns  # noqa: B018
for _name in jinja.templates():
    get_template(_name, using="jinja2")
