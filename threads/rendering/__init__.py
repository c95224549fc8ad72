"""Untrusted text made harmless and bounded: escaping, Markdown, links, JSON, widgets."""
