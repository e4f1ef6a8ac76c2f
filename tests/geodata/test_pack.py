"""The bundled pack is complete, documented and what its manifest says."""

import hashlib
import re

import pytest

from geodata.errors import InputError
from geodata.make_india.__main__ import LAYERS
from geodata.pack import INDIA, open_pack


def test_manifest_names_source_licence_and_checksum_of_every_file():
    files = open_pack().manifest["files"]
    assert set(files) == set(LAYERS) == {p.name for p in INDIA.iterdir()} - {"manifest.json"}
    for name, entry in files.items():
        assert entry["source"] and entry["licence"]
        assert "{" not in entry["source"]
        assert entry["sha256"] == hashlib.sha256((INDIA / name).read_bytes()).hexdigest(), name


def test_pack_is_small():
    sizes = [p.stat().st_size for p in INDIA.iterdir()]
    assert sum(sizes) < 15e6
    assert max(sizes) < 5e6


def test_no_file_names_a_registry_host_or_a_path_of_a_machine():
    for path in INDIA.glob("*.csv"):
        assert not re.search(r"https?://|/home/|/root/|/work/", path.read_text(encoding="utf-8")), path.name


def test_a_missing_layer_is_named(tmp_path):
    with pytest.raises(InputError, match=r"road\.parquet: no such file"):
        open_pack(tmp_path)
    with pytest.raises(InputError, match="none: no such folder") as caught:
        open_pack(tmp_path / "none")
    assert len(caught.value.problems) == 1


def test_checksum_follows_the_content(tmp_path):
    table = INDIA / "sectors.csv"
    changed = tmp_path / "sectors.csv"
    changed.write_text(table.read_text() + "\n")
    assert open_pack().checksum != open_pack(INDIA, {"sectors": changed}).checksum
