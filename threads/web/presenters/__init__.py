"""From results to template contexts: everything worked out, so that a template only writes it down."""
