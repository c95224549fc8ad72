"""Full-text search and filters over the archive: by words, user, status, reason and time."""
