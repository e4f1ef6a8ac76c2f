"""Names of ports and depots in Hindi: transliterations that nobody has checked, as the pages say that show them."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("texts") / "places_hi.csv"


@cache
def places_in_hindi() -> dict[str, str]:
    """Return the Hindi of each name: by name, since a pack of one's own may have other places under the same ids."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row["name_hi"] for row in csv.DictReader(file)}
