"""From domain values to what a template shows."""
