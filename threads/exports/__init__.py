"""Exports: lists of threads, whole users and transcripts, as files."""
