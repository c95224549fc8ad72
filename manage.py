#!/usr/bin/env python
"""Django's command line. Takes the secret key that `make run` has made, if there is one and no other is named."""

import sys

from dashboard.cli import manage

if __name__ == "__main__":
    manage(sys.argv[1:])
