"""Transports of the emulator: an adapter for requests and an HTTP server."""
