"""Helpers without a domain: times, CSV, form fields, query strings, caches, database connections."""
