"""The archive: a local copy of the threads, for searches that the API has no filter for, and for API outages."""
