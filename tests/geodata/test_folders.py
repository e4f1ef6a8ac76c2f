"""Folders appear whole or not at all; what was not written here is never replaced."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from geodata.errors import InputError
from geodata.folders import MANIFEST, atomic_file, atomic_folder, check_replaceable, check_writable_file

EARLIER = ("plan.json", "sites.csv", "log.txt", "budget-*/plan.json")


def write(out: Path, text: str = "new", **more: str) -> None:
    with atomic_folder(out, EARLIER) as folder:
        (folder / "plan.json").write_text(text)
        for name, content in more.items():
            (folder / name).write_text(content)


def refusal(out: Path) -> str:
    """The one line with which a folder is refused; nothing near it changes."""
    before = snapshot(out.parent)
    with pytest.raises(InputError) as caught:
        write(out)
    assert snapshot(out.parent) == before
    (line,) = caught.value.problems
    assert caught.value.faults[0].remedy and "\n" not in line
    return line


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


def test_a_folder_replaces_the_one_it_wrote_before(tmp_path):
    out = tmp_path / "deep" / "result"
    write(out, "old", extra="of the old one")
    write(out, "new")
    assert sorted(p.name for p in out.iterdir()) == [MANIFEST, "plan.json"]
    assert (out / "plan.json").read_text() == "new"
    assert [p.name for p in out.parent.iterdir()] == ["result"]


def test_the_manifest_tells_size_and_checksum_of_every_file(tmp_path):
    write(tmp_path / "a", "text")
    told = json.loads((tmp_path / "a" / MANIFEST).read_text())["files"]
    assert told == {
        "plan.json": {"bytes": 4, "sha256": "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"}
    }


def test_a_block_that_fails_leaves_the_old_folder_and_no_scratch(tmp_path):
    out = tmp_path / "result"
    write(out, "old")
    for error in (KeyboardInterrupt, OSError):
        with pytest.raises(error), atomic_folder(out) as folder:
            (folder / "plan.json").write_text("half")
            raise error
    assert (out / "plan.json").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


def test_a_block_that_fails_leaves_no_new_parents(tmp_path):
    with pytest.raises(ValueError, match="no"), atomic_folder(tmp_path / "a" / "b" / "c"):
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


def test_foreign_files_are_never_lost(tmp_path):
    """Notes laid beside a result, a repository, a foreign log, links: each stops the run and is named."""
    result = tmp_path / "result"
    write(result)
    (result / "notes.md").write_text("mine")
    assert "'notes.md', which siting did not write" in refusal(result)

    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    (repository / ".git" / "HEAD").write_text("ref: refs/heads/main")
    assert "'.git/HEAD'" in refusal(repository)

    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "log.txt").write_text("of another program")
    assert "'log.txt'" in refusal(logs)

    linked = tmp_path / "linked"
    write(linked)
    (linked / "data").symlink_to(tmp_path)
    assert "'data'" in refusal(linked)


def test_many_foreign_files_make_a_short_message(tmp_path):
    for name in "abcdef":
        (tmp_path / "out" / name).mkdir(parents=True)
        (tmp_path / "out" / name / "file").write_text("")
    assert "'a/file', 'b/file', 'c/file' and 3 more" in refusal(tmp_path / "out")


def test_a_file_that_was_changed_is_not_lost(tmp_path):
    out = tmp_path / "result"
    write(out, "abc")
    (out / "plan.json").write_text("abd")
    assert "'plan.json', changed since siting wrote it; delete it if the change may go, move it" in refusal(out)
    (out / "plan.json").unlink()
    write(out, "next")
    assert (out / "plan.json").read_text() == "next"


def test_a_file_that_comes_while_the_result_is_written_is_not_lost(tmp_path):
    out = tmp_path / "result"
    write(out, "old")
    with pytest.raises(InputError, match=r"notes\.md"), atomic_folder(out):
        (out / "notes.md").write_text("mine")
    assert (out / "notes.md").read_text() == "mine" and (out / "plan.json").read_text() == "old"


def test_what_file_managers_leave_is_no_foreign_file(tmp_path):
    write(tmp_path / "result")
    (tmp_path / "result" / ".DS_Store").write_text("")
    write(tmp_path / "result")


@pytest.mark.parametrize("damage", ["", "{}", "[1]", '{"files": 3}', "\0"])
def test_a_damaged_manifest_protects_what_is_there(tmp_path, damage):
    write(tmp_path / "result")
    (tmp_path / "result" / MANIFEST).write_text(damage)
    assert "which siting did not write" in refusal(tmp_path / "result")


def test_results_from_before_manifests_are_known_by_their_files(tmp_path):
    old = tmp_path / "old"
    (old / "budget-5").mkdir(parents=True)
    for name in ("plan.json", "log.txt", "budget-5/plan.json"):
        (old / name).write_text("")
    (old / "thesis.txt").write_text("years of work")
    assert "'thesis.txt'" in refusal(old)
    (old / "thesis.txt").unlink()
    write(old)
    assert sorted(p.name for p in old.iterdir()) == [MANIFEST, "plan.json"]


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "out").mkdir()
    write(tmp_path / "out")


def test_the_current_folder_is_not_replaced(tmp_path, monkeypatch):
    write(tmp_path / "result")
    for here in (tmp_path / "result", tmp_path):
        monkeypatch.chdir(here)
        assert "is the current folder" in refusal(Path())
        assert "is the current folder" in refusal(tmp_path)


def test_a_file_or_a_device_is_not_replaced(tmp_path):
    (tmp_path / "file").write_text("mine")
    assert "is a file; name a folder" in refusal(tmp_path / "file")
    assert "Not a directory" in refusal(tmp_path / "file" / "out")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is a file; name a folder"):
        write(tmp_path / "pipe")


def test_a_link_stands_for_its_folder(tmp_path):
    write(tmp_path / "target")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write(tmp_path / "link", "through the link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target" / "plan.json").read_text() == "through the link"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("x" * 300, "File name too long"), ("caf\udce9", "not UTF-8"), ("a/" * 3000, "File name too long")],
)
def test_impossible_names_are_refused(tmp_path, name, expected):
    with pytest.raises(InputError, match=expected):
        write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 255, "राष्ट्रीय" * 9, "two\nlines", "-", "a b'\"*?[x]"])
def test_odd_names_are_written(tmp_path, name):
    write(tmp_path / name)
    write(tmp_path / name, "again")
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "cannot be written" in refusal(tmp_path / "locked" / "out")


def killed_in_the_middle(out: Path, *, exchanged: bool = False) -> None:
    """Write to a folder in a process that is killed before it is done."""
    aside = "os.replace(out, folder.parent / 'old')" if exchanged else ""
    program = (
        "import os, pathlib, sys\nfrom geodata.folders import atomic_folder\nout = pathlib.Path(sys.argv[1])\n"
        f"with atomic_folder(out) as folder:\n    {aside}\n    os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(out)], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == -9


def test_what_a_killed_run_left_is_cleared_by_the_next(tmp_path):
    out = tmp_path / "result"
    killed_in_the_middle(out)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".result-")
    foreign = tmp_path / ".result-notes"
    foreign.mkdir()
    write(tmp_path / "other")
    assert left.exists(), "another folder's run leaves it"
    write(out)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".result-notes", "other", "result"]


def test_a_scratch_folder_in_use_is_left_alone(tmp_path):
    out = tmp_path / "result"
    with atomic_folder(out) as first:
        (first / "plan.json").write_text("slow")
        write(out, "quick")
        assert first.exists()
    assert (out / "plan.json").read_text() == "slow"


def test_a_result_put_aside_by_a_killed_run_returns(tmp_path):
    out = tmp_path / "result"
    write(out, "old")
    killed_in_the_middle(out, exchanged=True)
    assert not out.exists()
    with pytest.raises(ValueError, match="later"), atomic_folder(out):
        raise ValueError("later")
    assert (out / "plan.json").read_text() == "old"


def test_a_folder_is_checked_before_work_begins(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        check_replaceable(tmp_path / "file")


def test_a_file_is_written_whole_or_the_earlier_one_stays(tmp_path):
    out = tmp_path / "table.csv"
    (tmp_path / ".table.csv.part").write_text("of somebody else")
    for content in ("old", "new"):
        with atomic_file(out) as scratch:
            scratch.write_text(content)
        assert out.read_text() == content
    for error in (KeyboardInterrupt, OSError):
        with pytest.raises(error), atomic_file(out) as scratch:
            scratch.write_text("half")
            raise error
    assert out.read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".table.csv.part", "table.csv"]


def test_a_link_stays_a_link_to_the_file_that_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "real" / "table.csv")
    with atomic_file(tmp_path / "link.csv") as scratch:
        scratch.write_text("new")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real" / "table.csv").read_text() == "new"


@pytest.mark.parametrize(("place", "said"), [("no/a.csv", "there is no folder"), (".", "is a folder"), ("a.csv", None)])
def test_a_file_has_a_folder_to_be_written_in(tmp_path, place, said):
    if said is None:
        check_writable_file(tmp_path / place)
        return
    with pytest.raises(InputError, match=said):
        check_writable_file(tmp_path / place)
