"""Erasing threads and customers permanently: preview, order, run, receipt."""
