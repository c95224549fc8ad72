"""Queries, one page of an answer, and the API as a source of threads."""
