"""The emulated data: users, threads and conversations, computed from a seed."""
