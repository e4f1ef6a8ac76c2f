"""What the README shows runs as it stands."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from geodata.ingest.area import load_area
from siting.check import check_study
from siting.study import read_study
from web.command import build_command

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def blocks(language, start=""):
    return [text for kind, text in BLOCKS if kind == language and text.startswith(start)]


def commands():
    """Every command of the README, without what its output is piped to."""
    lines = [line for text in blocks("bash") for line in text.splitlines()]
    return [words for line in lines if (words := shlex.split(line.split("|")[0], comments=True))]


def sample_study(folder):
    """The study of the README with the files that it names: copies of the pack's."""
    (text,) = blocks("toml", "[study]")
    for layer in ("exports", "depots"):
        shutil.copy(ROOT / "geodata" / "india" / f"{layer}.csv", folder / f"my_{layer}.csv")
    (folder / "my-study.toml").write_text(text, encoding="utf-8")
    return folder / "my-study.toml"


def test_every_block_says_its_language():
    assert {language for language, _ in BLOCKS} == {"bash", "toml", "python"}


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_the_commands_are_understood(words):
    if words[0] == "make":
        subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, check=True, capture_output=True)
    elif words[0] == "siting":
        arguments = build_command().parse_args(words[1:])
        for given in ("study", "area"):
            assert (ROOT / (getattr(arguments, given, None) or "README.md")).is_file()
    else:
        assert words[:3] == [".venv/bin/python", "-m", "pytest"]


def test_the_study_has_no_faults_and_names_every_kind_of_limit(tmp_path):
    values, faults = read_study(sample_study(tmp_path))
    assert faults == []
    assert {"closed_gateways", "leader_weight", "forced", "forbidden"} <= set(values)
    assert "credit_subsidy" in values["parameters"]


def test_the_area_file_has_no_faults(tmp_path):
    (text,) = blocks("toml", "[area]")
    for name in re.findall(r'^(?:file|aliases) = "(.*?)"', text, re.MULTILINE):
        (tmp_path / name).write_text("")
    (tmp_path / "area.toml").write_text(text, encoding="utf-8")
    assert load_area(tmp_path / "area.toml").name == "Rajasthan"


@pytest.mark.slow
def test_the_study_fits_the_bundled_data(tmp_path):
    assert check_study(sample_study(tmp_path)) == []


@pytest.mark.slow
@pytest.mark.parametrize("text", blocks("python"))
def test_the_python_runs(tmp_path, text):
    for name in ("studies", "geodata"):
        (tmp_path / name).symlink_to(ROOT / name)
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{text}"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
