"""The doctor: checks everything that the desk needs, with advice where it fails."""

from .run import Finding, Verdict, run_checks

__all__ = ["Finding", "Verdict", "run_checks"]
