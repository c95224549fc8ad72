"""Benchmarks of Threadkeeper against a plain Django baseline, in one run: `make bench`."""
