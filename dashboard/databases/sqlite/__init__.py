"""Django's SQLite backend, whose waiting for a locked file does not block the process: an ENGINE for DATABASES."""
