"""The emulated data: users, threads and items, computed from a seed and not stored."""
