"""Looks whether everything that the desk needs is there, and says what to do where it is not."""

from .run import Finding, Verdict, look

__all__ = ["Finding", "Verdict", "look"]
