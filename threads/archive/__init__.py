"""The local copy of the threads: found by what the API cannot filter by, and there when the API is not."""
