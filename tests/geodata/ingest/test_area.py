"""An area file is read with all of its faults named at once."""

from pathlib import Path

import pytest

from geodata.districts import INDIA_BOUNDS
from geodata.errors import InputError
from geodata.ingest.area import LAYERS, load_area
from geodata.pack import INDIA

ROOT = Path(__file__).parents[3]


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "area.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(InputError) as error:
        load_area(path)
    return error.value.problems


def test_a_layer_that_is_not_named_comes_from_the_bundled_pack(tmp_path):
    area = load_area(write(tmp_path, '[area]\nname = "Somewhere"\n'))
    assert area.fallback == INDIA and area.bounds == INDIA_BOUNDS
    assert set(area.sources) == set(LAYERS)
    assert all(source.kind == "pack" and not source.named for source in area.sources.values())


def test_files_are_relative_to_the_area_file(tmp_path):
    (tmp_path / "ports.csv").touch()
    text = '[area]\nname = "X"\nbounds = [24, 59, 26, 61]\n[gateways]\nsource = "file"\nfile = "ports.csv"\n'
    area = load_area(write(tmp_path, text))
    assert area.sources["gateways"].file == tmp_path / "ports.csv"
    assert area.sources["gateways"].named
    assert area.bounds == (24, 59, 26, 61)


def test_all_faults_are_named_at_once_with_their_remedy(tmp_path):
    found = faults(
        write(
            tmp_path,
            """
            [area]
            bounds = [26, 59, 24, 61]
            [boundaries]
            source = "shapefile"
            [roads]
            source = "pbf"
            file = "missing.osm.pbf"
            class = ["motorway"]
            [rail]
            [exports]
            source = "file"
            file = "area.toml"
            unit = "inr_lakhs"
            columns = ["State"]
            """,
        )
    )
    text = "\n".join(found)
    for part in (
        "[area] has no name",
        "is no box on the globe",
        "[boundaries] source = 'shapefile' is unknown; choose from pack, file, geoboundaries",
        "[roads] file = 'missing.osm.pbf' is no file",
        "[roads] unknown key 'class'; did you mean 'classes'?",
        "[rail] has no source; choose from pack, pbf, overpass, lines",
        "[exports] unit = 'inr_lakhs' is unknown; choose from usd",
        "[exports] columns = ['State'] is not a table",
    ):
        assert part in text
    assert len(found) == 9  # and rupees without a rate


def test_rupees_need_a_rate(tmp_path):
    text = '[area]\nname = "X"\n[exports]\nsource = "file"\nfile = "area.toml"\nunit = "inr_crore"\n'
    assert faults(write(tmp_path, text)) == [
        "area.toml: [exports] unit is rupees; give inr_per_usd, the mean rate of the year"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[area\n", "not a TOML file"),
        ('area = "x"\n', "area is not a table"),
        ('[area]\nname = "X"\n[road]\nsource = "pack"\n', r"unknown table \[road\]; did you mean 'roads'"),
        ('[area]\nname = "X"\nbounds = [1, 2, 3]\n', "is not four numbers"),
        ('[area]\nname = ""\n', "name = '' is not a text"),
    ],
)
def test_what_is_no_area_file_is_told(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        load_area(write(tmp_path, text))


def test_a_missing_area_file_is_told(tmp_path):
    with pytest.raises(InputError, match="no such area file"):
        load_area(tmp_path / "none.toml")


@pytest.mark.parametrize("path", sorted((ROOT / "areas").glob("*.toml")), ids=lambda path: path.stem)
def test_the_areas_that_ship_have_no_faults(path):
    assert load_area(path).name
