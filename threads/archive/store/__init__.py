"""Writes to the archive: threads, items, counters, search index and tombstones."""
