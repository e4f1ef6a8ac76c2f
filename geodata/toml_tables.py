"""Files of named tables (TOML): areas and studies."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from geodata.errors import InputError

SHOWN = 12  # known names that are listed


def read_tables(path: Path, tables: Sequence[str], kind: str, examples: str) -> dict[str, Any]:
    """Content of a file that may hold some tables and nothing else; with or without a byte order mark.

    Args:
        tables: names that may stand at the top.
        kind: what the file is called in messages.
        examples: where to find one.

    Raises:
        InputError: a file that is not there or no TOML file, unknown tables, and names that are no tables.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such {kind} file; see {examples} for examples") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); see {examples} for examples") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file ({error}); see {examples} for examples") from None
    problems = [f"{path.name}: unknown table [{name}]{hint(name, tables)}" for name in content if name not in tables]
    problems += [
        f"{path.name}: {name} is not a table; write [{name}] on a line of its own"
        for name in tables
        if not isinstance(content.get(name, {}), dict)
    ]
    if problems:
        raise InputError(problems)
    return content


def hint(name: str, known: Iterable[str]) -> str:
    """What may have been meant, for the end of a message."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(known[:SHOWN])}"
