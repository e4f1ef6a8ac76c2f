"""Files of named tables (TOML): areas and studies."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geodata.errors import Fault, InputError
from geodata.hints import hint

LARGEST_BYTES = 4_000_000
MOST_PARTS_OF_A_NAME = 20  # ours have three; the parser's work grows with their square


def read_tables(
    path: Path,
    tables: Sequence[str],
    kind: str,
    examples: str,
    lists: Sequence[str] = (),
    texts: Sequence[str] = (),
) -> dict[str, Any]:
    """Content of a file that may hold some tables and texts and nothing else; with or without a byte order mark.

    Args:
        tables: names of tables that may stand at the top.
        kind: what the file is called in messages.
        examples: where to find one.
        lists: names of lists of tables that may stand there too.
        texts: names of texts that may stand at the top.

    Raises:
        InputError: a file that is not there or no TOML file, unknown names, and names that are no tables or texts.
    """
    see = f"see {examples} for examples"
    try:
        content = tomllib.loads(_text(path, kind, see))
    except FileNotFoundError:
        raise InputError(Fault(f"no such {kind} file", see, path)) from None
    except OSError as error:
        raise InputError(Fault(f"cannot be read ({error.strerror})", see, path)) from None
    except InputError:
        raise
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, or a number of thousands of digits
        raise InputError(Fault(f"not a TOML file ({str(error)[:200]})", see, path)) from None
    known = [*tables, *lists, *texts]
    faults = [Fault(f"unknown table [{name}]", hint(name, known), path.name) for name in content if name not in known]
    faults += [
        Fault(f"{name} is not a table", f"write [{name}] on a line of its own", path.name, column=name)
        for name in tables
        if not isinstance(content.get(name, {}), dict)
    ]
    faults += [
        Fault(f"{name} is no list of tables", f"write [[{name}]] above each", path.name, column=name)
        for name in lists
        if not _is_list_of_tables(content.get(name, []))
    ]
    faults += [
        Fault(f"{name} is not a text", "put it in quotes", path.name, column=name)
        for name in texts
        if not isinstance(content.get(name, ""), str)
    ]
    if faults:
        raise InputError(faults)
    return content


def _is_list_of_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _text(path: Path, kind: str, see: str) -> str:
    """Text of a file that the parser reads in reasonable time."""
    if path.exists() and not path.is_file():
        raise InputError(Fault("is no file", see, path))
    if path.stat().st_size > LARGEST_BYTES:
        raise InputError(Fault(f"is larger than {LARGEST_BYTES:,} bytes, so no {kind} file", see, path))
    text = path.read_text(encoding="utf-8-sig")
    for number, line in enumerate(text.splitlines(), 1):
        if _may_name(line) and line.partition("=")[0].count(".") > MOST_PARTS_OF_A_NAME:
            what = f"has a name of more than {MOST_PARTS_OF_A_NAME} parts, so no {kind} file"
            raise InputError(Fault(what, see, path, row=number))
    return text


def _may_name(line: str) -> bool:
    """Whether a line may hold the name of a table or a value, not only a text or numbers."""
    return "=" in line or line.lstrip().startswith("[")
