"""Handing threads over: a list as CSV or JSON Lines, a conversation as Markdown or JSON, all of a user as a zip."""
