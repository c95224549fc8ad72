"""Sync: copies threads and items from the upstream into the archive, and keeps them up to date.

`walk` runs the passes, `sweep` is the full pass over the list, `items` reads conversations, `run` has what they share.
"""
