"""Erasing threads and users for good: preview, order, run, receipt."""
