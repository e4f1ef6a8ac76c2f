"""What an unknown name may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SHOWN = 12  # known names that are listed


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is spelt most like one; None where none is near."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def hint(name: str, known: Iterable[str]) -> str:
    """Return a remedy for an unknown name.

    >>> hint("budgt", ["budget", "gap"])
    "did you mean 'budget'?"
    >>> hint("colour", ["budget", "gap"])
    'known: budget, gap'
    """
    known = list(known)
    near = nearest(name, known)
    return f"did you mean '{near}'?" if near else f"known: {', '.join(known[:SHOWN])}"
