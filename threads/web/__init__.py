"""Everything that reads a request or writes a page."""
