"""Deleting threads for good, upstream and here: what is about to be done is on record before it is done."""
