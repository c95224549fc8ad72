"""The trail as it is told: in words, for its page and for its file."""
