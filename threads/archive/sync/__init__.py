"""Copying threads and items from the API into the archive."""
