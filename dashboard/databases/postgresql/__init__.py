"""Django's PostgreSQL backend with a connection pool of its own. The ENGINE in DATABASES names this package."""
