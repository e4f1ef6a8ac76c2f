"""District boundaries of a country from geoBoundaries (www.geoboundaries.org), by its documented API."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd

from geodata.coverage import EQUAL_AREA_WORLD
from geodata.errors import Fault, InputError
from geodata.ingest.boundaries import Boundaries, read_boundaries
from geodata.ingest.map_files import read_map
from geodata.tables import Bounds

GEOBOUNDARIES_API = "https://www.geoboundaries.org/api/current/gbOpen"
MAX_DOWNLOAD_BYTES = 2**30
TIMEOUT_S = 60.0


def geoboundaries(
    country: str,
    level: str,
    bounds: Bounds,
    folder: Path,
    *,
    states: Sequence[str] = (),
    sha256: str | None = None,
    api_url: str = GEOBOUNDARIES_API,
) -> Boundaries:
    """Districts of a country.

    Args:
        country: ISO 3166-1 alpha-3 code, for example ``IND``.
        level: ``ADM2``, whose states come from ADM1, or ``ADM1``, whose state is the country.
        bounds: box that must hold every district.
        folder: where the downloads are put.
        states: of the districts only those of these states; all if empty.
        sha256: checksum that the boundary file of this level must have.

    Raises:
        InputError: without a connection, for an unknown code or level, a wrong checksum, or a faulty layer.
    """
    path, facts = _download_level(country, level, folder, api_url)
    if sha256 and facts["sha256"] != sha256.lower():
        raise InputError(
            Fault(
                f"its SHA-256 is {facts['sha256']}, not {sha256}",
                "the boundaries have changed: look at them, then put the new checksum into the area file",
                f"geoBoundaries {country} {level}",
                column="sha256",
                value=sha256,
            )
        )
    if level == "ADM1":
        result = read_boundaries(path, {"district": "shapeName"}, bounds, state=facts["country"])
    else:
        upper, _ = _download_level(country, "ADM1", folder, api_url)
        outlines = read_boundaries(upper, {"district": "shapeName"}, bounds, state=facts["country"]).districts
        lower = read_map(path, None).to_crs(4326)
        lower["state"] = _containing(lower, outlines)
        with_state = folder / f"{country}-{level}-with-state.gpkg"
        lower[["shapeName", "state", "geometry"]].to_file(with_state)
        result = read_boundaries(with_state, {"district": "shapeName"}, bounds, states=states)
    result.provenance = {
        "source": f"geoBoundaries {country} {level} ({facts['year']}), built {facts['built']}; {facts['origin']}",
        "licence": facts["licence"],
        "sha256_of_source": facts["sha256"],
    }
    return result


def _download_level(country: str, level: str, folder: Path, api_url: str) -> tuple[Path, dict[str, str]]:
    """Fetch one level of a country: the file and the facts that the API gives about it."""
    where = f"{api_url}/{country.upper()}/{level}/"
    what = f"geoBoundaries {country.upper()} {level}"
    try:
        facts: dict[str, Any] = json.loads(_get(where))
        url = facts["gjDownloadURL"]
        content = _get(url)
    except urllib.error.HTTPError as error:
        raise InputError(
            Fault(f"the server answers {error.code} at {error.url}", "check country and level", what)
        ) from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            Fault(
                f"no connection to {where} ({reason})",
                "on a machine with internet open that address, save the file behind gjDownloadURL, bring it here and "
                "write [boundaries] source = 'file', file = '...', columns = { district = 'shapeName' }, state = '...'",
                what,
            )
        ) from None
    except (ValueError, KeyError, TypeError):
        raise InputError(
            Fault(f"the answer at {where} is not the documented one", "pass the file by hand", what)
        ) from None
    path = folder / f"{country.upper()}-{level}.geojson"
    path.write_bytes(content)
    return path, {
        "sha256": hashlib.sha256(content).hexdigest(),
        "country": str(facts.get("boundaryName", country)),
        "year": str(facts.get("boundaryYearRepresented", "year unknown")),
        "built": str(facts.get("buildDate", "unknown")),
        "origin": str(facts.get("boundarySource", "source unknown")),
        "licence": str(facts.get("boundaryLicense", "see geoboundaries.org")),
    }


def _get(url: str) -> bytes:
    if not url.startswith(("https://", "http://")):
        raise ValueError(url)
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
        content: bytes = answer.read(MAX_DOWNLOAD_BYTES + 1)
    if len(content) > MAX_DOWNLOAD_BYTES:
        raise ValueError("too long")
    return content


def _containing(districts: gpd.GeoDataFrame, states: gpd.GeoDataFrame) -> list[str]:
    """Name of the state that holds a point of each district, else of the nearest."""
    points = districts.geometry.make_valid().representative_point().to_crs(EQUAL_AREA_WORLD)
    nearest = states.to_crs(EQUAL_AREA_WORLD).geometry.sindex.nearest(points.array, return_all=False)[1]
    return [str(name) for name in states["district"].to_numpy()[nearest]]
