"""How the report writes numbers, and the environment of its templates."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from jinja2.bccache import Bucket
from markupsafe import Markup

from geodata.cache import cache_folder
from siting.certainty import word_of
from siting.money import counted, crore, indian


class KeptTemplates(jinja2.FileSystemBytecodeCache):
    """Compiled templates on disk, by the checksum of their text; where that cannot be written, they are compiled."""

    def _get_default_cache_dir(self) -> str:
        folder = cache_folder() / "templates"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def environment() -> jinja2.Environment:
    """Templates of the report, with the filters that typeset numbers."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader("siting.report"), jinja2.PackageLoader("geodata")]),
        autoescape=True, undefined=jinja2.StrictUndefined, lstrip_blocks=True, bytecode_cache=KeptTemplates(),
    )  # fmt: skip
    environment.filters.update(
        indian=number,
        counted=lambda n, noun: _typeset(counted(n, noun)),
        crore=rupees,
        percent=percent,
        number=number,
        plain=plain,
        change=change,
        breakable=breakable,
        sureness=word_of,
    )
    return environment


# Numbers and their units stay on one line, and minus is a minus sign, not a hyphen.


def rupees(inr: float, decimals: int = 0) -> str:
    """Rupees in crore."""
    return _typeset(crore(inr, decimals))


def percent(fraction: float | None, decimals: int = 1) -> str:
    """Fraction as per cent; a dash where there is none."""
    return "–" if fraction is None or not np.isfinite(fraction) else _typeset(f"{100 * fraction:.{decimals}f} %")


def number(value: float | None, decimals: int = 0) -> str:
    """Number with Indian grouping; a dash where there is none."""
    return "–" if value is None or not np.isfinite(value) else _typeset(indian(value, decimals))


def plain(value: float) -> str:
    """Number as short as it can be written."""
    return number(value) if abs(value) >= 1000 and value == round(value) else _typeset(f"{value:g}")


def change(text: str) -> str:
    """Put a plus sign before a rise."""
    rises = not text.startswith("−") and any(digit in text for digit in "123456789")
    return f"+{text}" if rises else text


def breakable(name: str) -> Markup:
    """Let a long name break after its underscores."""
    return Markup("_<wbr>").join(name.split("_"))


def _typeset(text: str) -> str:
    return text.replace("-", "−").replace(" ", "\u00a0")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as templates read them."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
