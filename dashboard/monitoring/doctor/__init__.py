"""The doctor: checks everything that the desk needs, with advice where it fails."""

from .run import CheckResult, CheckStatus, run_checks

__all__ = ["CheckResult", "CheckStatus", "run_checks"]
