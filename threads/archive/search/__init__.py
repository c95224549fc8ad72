"""Finding threads in the archive: by words, user, status, reason and time."""
