"""Warnings that point at the user's own line."""

import sys
import warnings

__all__ = ["warn"]

# Frames of these packages stand between a user's call and what warns: our own, and scikit-learn's
# decorators, pipelines and searches.
SKIPPED = ("sklvm", "sklearn")


def warn(message, category):
    """Warn at the line that called into the library, however deep inside it this call stands."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and _package_of(frame) in SKIPPED:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level + 1)


def _package_of(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]
