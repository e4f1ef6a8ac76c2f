"""A local server that answers as the documented API of geoBoundaries does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import geopandas as gpd

from tests.geodata.ingest.osm_files import served


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing is written to the test's output."""


@contextmanager
def geoboundaries_server(root: Path, districts: gpd.GeoDataFrame) -> Iterator[str]:
    """URL of an API that knows India, with one state, Goa, of some districts (column shapeName); files in `root`."""
    lower = districts[["shapeName", "geometry"]]
    root.mkdir()
    with served(partial(_Quiet, directory=str(root))) as url:
        for level, table in (("ADM1", lower.dissolve().assign(shapeName="Goa")), ("ADM2", lower)):
            (root / "IND" / level).mkdir(parents=True)
            table.to_file(root / f"{level}.geojson")
            facts = {
                "gjDownloadURL": f"{url}/{level}.geojson", "boundaryName": "India", "boundaryYearRepresented": "2021",
                "buildDate": "Dec 12, 2023", "boundaryLicense": "CC BY", "boundarySource": "Census",
            }  # fmt: skip
            (root / "IND" / level / "index.html").write_text(json.dumps(facts))
        yield url
