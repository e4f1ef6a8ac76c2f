"""Words of the pages that need a word themselves, each told once, in the languages of the pages: one table."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

GLOSSARY = Path(__file__).with_name("texts") / "glossary.csv"


@cache
def glossary(language: str) -> dict[str, dict[str, str]]:
    """Return ``term`` and ``text`` in one language, by key."""
    with GLOSSARY.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["key"]: {name: row[f"{name}_{language}"] for name in ("term", "text")} for row in rows}
