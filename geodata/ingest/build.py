"""Build the pack of an area from the sources its area file names (``siting pack build``)."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.districts import load_aliases, load_districts
from geodata.errors import Fault, InputError
from geodata.exports import (
    KEY_COLUMNS,
    SECTOR_COLUMNS,
    VALUE_SUFFIX,
    check_sectors,
    load_exports,
    load_sectors,
    with_counted,
)
from geodata.folders import atomic_folder
from geodata.ingest.area import Area, Source
from geodata.ingest.districts import area_districts, outline_states
from geodata.ingest.layers import POINT_LAYERS, own_exports, own_points
from geodata.ingest.names import DistrictNames, district_names, load_own_aliases, suggestions
from geodata.ingest.networks import build_network
from geodata.ingest.placing import place_rows
from geodata.ingest.quality import Finding, pack_findings, write_quality
from geodata.pack import LAYERS, OPTIONAL, Pack, open_pack
from geodata.tables import Column

Tell = Callable[[str, float], None]

ID_OF = {"gateways": "gateway_id", "depots": "depot_id", "planned_sites": "site_id"}
STAGES = ("districts", "sectors", "exports", *POINT_LAYERS, "roads", "rail", "quality")
FROM_OSM = ("pbf", "overpass")
OSM_LICENCE = "ODbL-1.0, © OpenStreetMap contributors"
PACK_FILES = ("manifest.json", *LAYERS, *OPTIONAL, "exports_unplaced.csv", "quality.json", "quality.html")
OWN_LICENCE = "not stated in the area file; add licence = '...'"


@dataclass
class _Build:
    """One build under way: what it reads, where it writes, what it has found."""

    area: Area
    fallback: Pack
    folder: Path
    tell: Tell
    findings: list[Finding] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    provenance: dict[str, dict[str, str]] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    names: DistrictNames = field(init=False)

    @contextmanager
    def stage(self, name: str) -> Iterator[Source]:
        """Announce a layer and keep its faults, so that all layers' faults are told at once."""
        self.tell(name.replace("_", " "), STAGES.index(name) / len(STAGES))
        try:
            yield self.area.sources["boundaries" if name == "districts" else name]
        except InputError as error:
            self.faults += error.faults

    def within(self, stage: str) -> Tell:
        """Progress of one stage as a part of the whole."""

        def tell(text: str, share: float) -> None:
            self.tell(f"{stage}: {text}", (STAGES.index(stage) + share) / len(STAGES))

        return tell

    def record(
        self, file: str, source: Source, text: str | None = None, known: Mapping[str, str] | None = None
    ) -> None:
        """Note where a file of the pack comes from; what is ``known`` of it goes before what the area file says."""
        if source.kind == "pack":
            entry = dict(self.fallback.manifest["files"].get(file, {"source": "fallback pack", "licence": "as there"}))
            entry["source"] = f"pack {self.fallback.manifest['name']}: {entry['source']}"
            entry.setdefault("date", self.fallback.manifest["built"])
        else:
            path = source.values.get("file")
            entry = {
                "source": text or source.values.get("origin") or (path.name if path else source.kind),
                "licence": source.values.get("licence", OSM_LICENCE if source.kind in FROM_OSM else OWN_LICENCE),
                "date": datetime.now(UTC).date().isoformat(),
            }
            if path:
                entry["sha256_of_source"] = sha256(path)
        self.provenance[file] = {**entry, **(known or {})}

    def notes(self, layer: str, notes: Sequence[str]) -> None:
        """Put what was done to a table into the quality report."""
        if notes:
            self.findings.append(
                Finding(
                    layer, "mended", "How the table was read",
                    "Titles, notes, totals and blanks of the table were taken as listed.",
                    "Check that each is what the table means; correct the table where it is not.",
                    pd.DataFrame({"note": list(notes)}),
                )
            )  # fmt: skip


def build_pack(area: Area, out: Path, tell: Tell = lambda text, share: None) -> dict[str, Any]:
    """Write the pack of an area with its manifest and quality report; the folder appears whole or not at all.

    Layers that the area file does not name come from the fallback pack: districts, exports and customs stations of
    the area, points inside its bounds, networks whole.

    Args:
        tell: called with what runs and the share done, 0 to 1.

    Returns:
        The content of ``quality.json``.

    Raises:
        InputError: every fault of every source at once.
    """
    fallback = open_pack(area.fallback)
    inside = [
        Fault(
            f"[{source.layer}] {key} = '{path}' lies in --out, which is replaced", "copy it elsewhere", area.path.name
        )
        for source in area.sources.values()
        for key, path in source.values.items()
        if isinstance(path, Path) and path.resolve().is_relative_to(out.resolve())
    ]
    if inside:
        raise InputError(inside)
    with atomic_folder(out, PACK_FILES) as folder:
        build = _Build(area, fallback, folder, tell)
        _districts(build)
        if build.faults:
            raise InputError(build.faults)  # all else hangs on the districts
        _sectors(build)
        if not build.faults:
            _exports(build)
        for layer, columns in POINT_LAYERS.items():
            _points(build, layer, columns)
        districts = load_districts(folder / "districts.parquet", area.bounds)
        for layer in ("roads", "rail"):
            with build.stage(layer) as source:
                found = build_network(source, districts, area.bounds, fallback, folder, build.within(layer))
                build.findings += found.findings
                build.figures.setdefault("networks", {})[source.layer.removesuffix("s")] = found.figures
                build.record(found.file, source, found.source)
        if build.faults:
            raise InputError(build.faults)
        _write_manifest(build)
        tell("quality report", STAGES.index("quality") / len(STAGES))
        pack = open_pack(folder)
        # What the making of a layer told stands before what can be seen in the finished pack.
        told = {(finding.layer, finding.title) for finding in build.findings}
        seen = [finding for finding in pack_findings(pack) if (finding.layer, finding.title) not in told]
        findings = [*build.findings, *seen]
        result = write_quality(folder, area.name, pack.manifest, findings)
        tell("done", 1.0)
    return result


def sha256(path: Path) -> str:
    """Checksum of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_manifest(build: _Build) -> None:
    manifest = {
        "name": build.area.name,
        "bounds": build.area.bounds,
        "built": datetime.now(UTC).date().isoformat(),
        "area_file_sha256": sha256(build.area.path),
        "files": {name: {**entry, "sha256": sha256(build.folder / name)} for name, entry in build.provenance.items()},
        "figures": build.figures,
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (build.folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


# -- layers --------------------------------------------------------------------------------------------------------


def _districts(build: _Build) -> None:
    with build.stage("districts") as source:
        found = area_districts(source, build.area, build.fallback)
        found.districts.to_parquet(build.folder / "districts.parquet")
        outline_states(found.districts, build.fallback).to_parquet(build.folder / "states.parquet")
        districts = load_districts(build.folder / "districts.parquet", build.area.bounds)
        build.findings += found.findings
        aliases, of_pack = build.area.sources["exports"].values.get("aliases"), build.fallback.files["exports"].parent
        build.names = district_names(
            districts,
            load_own_aliases(aliases) if aliases else None,
            load_aliases(table) if (table := of_pack / "district_aliases.csv").is_file() else None,
            build.fallback.districts,
        )
        build.figures["districts"] = {"districts": len(found.districts), "crs_found": found.crs}
        _suggest_aliases(build)
        build.record("districts.parquet", source, known=found.provenance)
        build.record("states.parquet", source, "outlines of the districts, joined by state", found.provenance)


def _suggest_aliases(build: _Build) -> None:
    """Write which district lies where one of the fallback pack lay, if that has none here, as a table to be checked."""
    of_pack = build.fallback.districts.set_index("district_id")
    known = build.names.districts.set_index("district_id")
    rows = [
        {
            "state": of_pack["state"][key], "name_in_source": of_pack["district"][key],
            "district": f"{known['state'][parts[0][0]]}/{known['district'][parts[0][0]]}",
            "suggestions": "; ".join(text for _, text in parts), "note": "suggested by the overlap of polygons",
        }
        for key, parts in build.names.lies_on.items()
    ]  # fmt: skip
    if build.area.sources["boundaries"].kind == "pack" or not rows:
        return
    table = pd.DataFrame(rows)
    table.to_csv(build.folder / "aliases_suggested.csv", index=False)
    build.record(
        "aliases_suggested.csv", build.area.sources["boundaries"], "overlap of polygons with the fallback pack"
    )
    build.findings.append(Finding(
        "districts", "look", "Districts of the fallback pack that have none here",
        "Tables of the fallback pack use these names. Where a district lies on most of one it may be the same under "
        "another name, or one that was split or merged. Nothing was taken over.",
        "Copy aliases_suggested.csv beside the area file, check each row, and name the copy with aliases = '...' in "
        "[exports]; it counts for all layers.", table.drop(columns="note"),
    ))  # fmt: skip


def _sectors(build: _Build) -> None:
    with build.stage("sectors") as source:
        target = build.folder / "sectors.csv"
        if source.kind == "pack":
            shutil.copyfile(build.fallback.files["sectors"], target)
        else:
            table, notes = own_points(source.values, SECTOR_COLUMNS, build.area.bounds)
            table.to_csv(target, index=False)
            build.notes("sectors", notes)
            check_sectors(table, source.file)
        build.record("sectors.csv", source)


def _exports(build: _Build) -> None:
    with build.stage("exports") as source:
        folder, fallback, values = build.folder, build.fallback, source.values
        districts = load_districts(folder / "districts.parquet", build.area.bounds)
        sectors = load_sectors(folder / "sectors.csv")
        if source.kind == "pack":
            stands_for_itself = fallback.exports["counted_with"] == ""
            raw = fallback.exports[stands_for_itself].drop(columns="counted_with")
            raw = raw.rename(columns=lambda name: name.removesuffix(VALUE_SUFFIX))
            theirs = [str(name) for name in raw if name not in KEY_COLUMNS]
            differing = sorted(set(theirs) ^ set(sectors.index))
            if differing:
                only = f"(only one of the two has {', '.join(differing)})"
                what = f"the exports of the fallback pack are not by these sectors {only}"
                remedy = "name your own with [exports] source = 'file'"
                raise InputError(Fault(what, remedy, build.area.path.name))
            raw.index += 2  # the header of the table is its row 1
            own = place_rows(raw, build.names, list(sectors.index), source=str(fallback.files["exports"]))
            own.table = with_counted(own.table, fallback.exports, districts)
        else:
            own = own_exports(values, build.names, list(sectors.index), fallback.exports)
        own.table.to_csv(folder / "exports.csv", index=False)
        own.unplaced.to_csv(folder / "exports_unplaced.csv", index=False)
        load_exports(folder / "exports.csv", districts, sectors)
        build.notes("exports", own.notes)
        placed = float(own.table.select_dtypes("number").to_numpy().sum())
        lost = float(own.unplaced["export_usd_million"].sum())
        build.figures["districts"] |= {
            "exports_placed_usd_million": placed, "exports_unplaced_usd_million": lost,
            "exports_outside_usd_million": own.outside_usd_million,
            "exporting_districts": int((own.table.filter(like=VALUE_SUFFIX).sum(axis=1) > 0).sum()),
        }  # fmt: skip
        if len(own.unplaced):
            build.findings.append(Finding(
                "exports", "fault", "Names that are no district of the area",
                f"Exports of US$ {lost:,.1f} million, {lost / (placed + lost):.1%} of the area's, are left out because "
                "their district is not known. Nothing was guessed.",
                "Copy exports_unplaced.csv beside the area file, fill in the column district for each that you "
                "recognise, and name the copy with aliases = '...' in [exports]. Suggestions are names that look "
                "alike, no more.",
                own.unplaced.drop(columns="district"), unplaced_lines(own.unplaced),
            ))  # fmt: skip
        if len(own.merged):
            build.findings.append(Finding(
                "exports", "look", "Several names that lead to one district",
                "Their exports were added up: a district and those split from it, or two spellings.",
                "Correct the alias table if two of them are different districts.",
                own.merged,
            ))  # fmt: skip
        silent = districts.loc[~districts["district_id"].isin(own.table["district_id"]), ["state", "district"]]
        if len(silent):
            build.findings.append(Finding(
                "exports", "look", "Districts without exports",
                "The table has no row for them, so they count as exporting nothing and as under-utilised.",
                "Check whether their exports are among the unmatched names, or add rows.",
                silent,
            ))  # fmt: skip
        build.record("exports.csv", source)
        build.record("exports_unplaced.csv", source, "rows of the same table that name no district of the area")


def _points(build: _Build, layer: str, columns: tuple[Column, ...]) -> None:
    with build.stage(layer) as source:
        target = build.folder / f"{layer}.csv"
        if source.kind == "none":
            table = pd.DataFrame(columns=[column.name for column in columns])
        elif source.kind == "file":
            names = build.names if layer == "land_customs" else None
            table, notes = own_points(source.values, columns, build.area.bounds, names)
            build.notes(layer, notes)
        else:
            table = getattr(build.fallback, layer)
            if "lon" in table:
                west, south, east, north = build.area.bounds
                table = table[table["lon"].between(west, east) & table["lat"].between(south, north)]
        if layer == "land_customs" and source.kind == "pack":
            table = _customs_of_pack(build, table)
        table = _linked(build, source, layer, table)
        if layer == "gateways" and not table["container_service"].any():
            where = "of the fallback pack inside the bounds of the area" if source.kind == "pack" else "in the table"
            raise InputError(
                Fault(
                    f"no gateway {where} has a container service",
                    "name ports with [gateways] source = 'file', or widen bounds in [area]",
                    build.area.path.name,
                )
            )
        table.to_csv(target, index=False)
        build.record(target.name, source)


def unplaced_lines(unplaced: pd.DataFrame) -> tuple[str, ...]:
    """Each name that led nowhere with what it is worth, for the console."""
    return tuple(
        f"{row['name_in_source']}, {row['state']} (row {row['row']}): US$ {row['export_usd_million']:,.1f} million"
        + (f"; perhaps {row['suggestions']}" if row["suggestions"] else "")
        for row in unplaced.to_dict("records")
    )


def _customs_of_pack(build: _Build, table: pd.DataFrame) -> pd.DataFrame:
    """Customs stations of the fallback pack by the districts of the area; what none takes is listed."""
    of_pack = build.fallback.districts.set_index("district_id")
    found = build.names.find(table["district_id"])
    home = table["district_id"].map(of_pack["state"]).fillna("")
    lost = table[found.isna() & home.isin(set(build.names.districts["state"]))]
    if len(lost) and build.area.sources["boundaries"].kind != "pack":
        names = lost["district_id"].map(of_pack["district"])
        near = ["; ".join(build.names.near(*pair)[1]) for pair in zip(home[lost.index], names, strict=True)]
        rows = pd.DataFrame({
            "state": home[lost.index], "name_in_source": names, "station": lost["station"], "suggestions": near,
        })  # fmt: skip
        build.findings.append(Finding(
            "land_customs", "fault", "Customs stations in districts that the area does not have",
            "Exports over land from these stations are left out. Nothing was guessed.",
            "Say which district it is in the table that aliases = '...' in [exports] names; it counts for all layers.",
            rows,
            tuple(
                f"{row['station']}, in {row['name_in_source']}, {row['state']}"
                + (f"; perhaps {row['suggestions']}" if row["suggestions"] else "")
                for row in rows.to_dict("records")
            ),
        ))  # fmt: skip
    return table.assign(district_id=found)[found.notna()].drop_duplicates("district_id")


def _linked(build: _Build, source: Source, layer: str, table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table that belongs to another, without those whose partner is not there."""
    if layer == "land_customs":
        key, known = "district_id", pd.read_parquet(build.folder / "districts.parquet", columns=["district_id"])
        ids = known["district_id"].tolist()
    elif layer == "rail_connectors":
        key = "terminal_id"
        files = {name: build.folder / f"{name}.csv" for name in ID_OF}
        if not all(path.is_file() for path in files.values()):
            return table  # a table of terminals is at fault and named already
        ids = [i for name, path in files.items() for i in pd.read_csv(path, dtype=str)[ID_OF[name]]]
    else:
        return table
    lost = table[~table[key].isin(ids)]
    if source.kind == "file" and len(lost):
        choices = {name: name for name in ids}
        near = {name: " or ".join(suggestions(name, choices)) for name in lost[key]}
        raise InputError([
            Fault(
                f"{key} {name!r} is not in this area", f"perhaps {near[name]}" if near[name] else "remove the row",
                source.file, int(row), key, name,
            )
            for row, name in zip(lost.index, lost[key], strict=True)
        ])  # fmt: skip
    return table[table[key].isin(ids)]
