"""Audit log: who saw, exported or erased what. Append-only; old events are moved into files."""
