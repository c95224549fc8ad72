"""Measures Threadkeeper against a baseline that is built here, in one run: `make bench`."""
