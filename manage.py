#!/usr/bin/env python
"""Django's command line. Uses the secret key created by `make run` unless another is set."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.umask(0o077)  # files are for this OS account only
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    made = Path(__file__).resolve().parent / "var" / "secret_key"
    if made.exists() and not os.environ.get("SECRET_KEY") and not os.environ.get("SECRET_KEY_FILE"):
        os.environ["SECRET_KEY_FILE"] = str(made)
    execute_from_command_line(sys.argv)
