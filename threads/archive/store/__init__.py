"""Writing the archive: threads, items, counters, word index, tombstones."""
