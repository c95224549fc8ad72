#!/usr/bin/env python
"""Django's command line. Uses the secret key created by `make run` unless another is set."""

import sys

from dashboard.cli import manage

if __name__ == "__main__":
    manage(sys.argv[1:])
