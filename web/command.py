"""The whole ``siting`` command: the study commands and ``serve``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from contextlib import suppress
from pathlib import Path

from geodata import interruption
from siting.cli import build_parser, run_command
from siting.commands.arguments import add_command


def main() -> None:
    """Run the ``siting`` command."""
    # Threads of matrix products wait with the processor busy, for products too small to share. Heard as numpy loads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    interruption.listen()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an output that lacks a sign shows its number instead
            stream.reconfigure(errors="backslashreplace")
    code = run_command(build_command())
    if interruption.received():  # threads that HiGHS was stopped in would abort the usual way out, with code 134
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def build_command() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    parser, commands = build_parser()
    map_command = add_command(commands, "serve", _serve, "open the map of results in a browser")
    map_command.add_argument("results", type=Path, nargs="?", default=Path("results"))
    map_command.add_argument("--pack", type=Path, help="folder of the results' pack (default: the bundled one)")
    map_command.add_argument("--host", default="127.0.0.1")
    map_command.add_argument("--port", type=int, default=8000)
    map_command.add_argument("--name", action="append", default=[], help="further host name of this server")
    map_command.add_argument(
        "--studies", type=Path, default=Path("studies"), help="folder of study files (default: studies)"
    )
    map_command.add_argument(
        "--pages", type=Path, default=Path("pages"), help="folder of texts such as contact.en.txt (default: pages)"
    )
    map_command.add_argument(
        "--embed-in", action="append", default=[], metavar="ORIGIN",
        help="a site whose pages may show a map in a frame, https://portal.example.in",
    )  # fmt: skip
    return parser


def _serve(arguments: argparse.Namespace) -> int:
    from web.app import serve  # Flask and the map libraries take a second to load

    serve(
        arguments.results,
        arguments.host,
        arguments.port,
        arguments.studies,
        arguments.name,
        arguments.pack,
        arguments.pages,
        arguments.embed_in,
    )
    return 0
