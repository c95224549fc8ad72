"""Renders untrusted text safely and within bounds: escaping, Markdown, links, JSON, widgets."""
