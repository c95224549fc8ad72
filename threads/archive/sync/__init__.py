"""Sync: copies threads and items from the upstream into the archive, and keeps them up to date.

`sync` runs the passes, `sweep` is the full pass over the list, `item_reader` reads conversations, `context` has what
they share.
"""
