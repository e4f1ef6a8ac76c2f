"""Small files that unpack to far more: each is refused, or read for what it holds, in little time and memory."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

MOST_BYTES, MOST_CPU_S = 1_000_000_000, 5.0
READ = """
import json, resource, sys, time
from pathlib import Path
from geodata.errors import InputError
from geodata.ingest.boundaries import read_boundaries
from geodata.ingest.sheets import read_sheet
resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
path, begun = Path(sys.argv[1]), time.process_time()
try:
    if path.suffix == ".xlsx":
        told = str(read_sheet(path, ["state", "district"]))
    else:
        told = str(read_boundaries(path, {}, (68, 6, 98, 38)))
except InputError as error:
    told = str(error)
print(json.dumps([told, time.process_time() - begun, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def corner(path: Path) -> None:
    """A cell in the last corner of a sheet."""
    book = openpyxl.Workbook()
    for row in (["state", "district", "chemicals"], ["Goa", "North Goa", 1]):
        book.active.append(row)
    book.active["XFD1048576"] = "x"
    book.save(path)


def swollen(path: Path) -> None:
    """A sheet of two gigabytes of blanks."""
    book = io.BytesIO()
    openpyxl.Workbook().save(book)
    with zipfile.ZipFile(book) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in whole.namelist():
            content = whole.read(name)
            with archive.open(name, "w", force_zip64=True) as file:
                if name.endswith("sheet1.xml"):
                    head, tag, rest = content.partition(b"<sheetData")
                    file.write(head)
                    for _ in range(2048):
                        file.write(b" " * 2**20)
                    content = tag + rest
                file.write(content)


def zipped(path: Path) -> None:
    """A map of two gigabytes of nothing in a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("d.geojson", "w") as file:
        for _ in range(2047):
            file.write(bytes(2**20))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "make", "told"),
    [("corner.xlsx", corner, "North Goa"), ("swollen.xlsx", swollen, "unpack"), ("map.zip", zipped, "unpack")],
)
def test_a_bomb_takes_little_time_and_memory(tmp_path, name, make, told):
    make(tmp_path / name)
    code = READ.replace("MOST_BYTES", str(MOST_BYTES))
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / name)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer, cpu_s, peak_bytes = json.loads(done.stdout)
    assert cpu_s < MOST_CPU_S and peak_bytes < MOST_BYTES, (cpu_s, peak_bytes)
    assert told in answer
