"""Django's PostgreSQL backend with a connection pool of its own: DATABASES names it as the ENGINE."""
