"""Database connections: a pool for PostgreSQL, and waiting for a locked SQLite file."""
