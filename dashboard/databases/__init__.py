"""Database backends: a connection pool for PostgreSQL, and waiting for a locked SQLite file."""
