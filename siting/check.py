"""Everything that is wrong with a study and its data, found without solving it."""

from __future__ import annotations

from pathlib import Path

from geodata.errors import Fault, InputError
from geodata.pack import LAYERS, Pack
from siting.model.model import build_model
from siting.model.rule_limits import impossible_rules
from siting.study import make_study, open_data, read_study, told_by_file


def check_study(path: Path) -> list[Fault]:
    """List the faults of a study file, of the tables and maps it names, and of what they make together.

    The cheap checks come first: only a study whose file and layers are whole has its distances measured and its lanes
    priced, as a run would.

    Raises:
        InputError: when the file cannot be read as a study, or its data are not there.
    """
    values, faults = read_study(path)
    if any(fault.message.startswith("[data") for fault in faults):
        return faults  # in place of a layer that is not there the bundled one would be blamed
    faults += [fault for fault in data_faults(open_data(values["data"])) if fault not in faults]
    if not faults:
        study = make_study(values)
        try:
            with told_by_file(study, path):
                if faults := impossible_rules(build_model(study)):
                    raise InputError(faults)
        except InputError as error:
            faults = error.faults
    return faults


def data_faults(pack: Pack) -> list[Fault]:
    """List the faults of every layer of a pack; one that hangs on a faulty layer repeats that one's."""
    faults: list[Fault] = []
    for layer in LAYERS:
        try:
            getattr(pack, Path(layer).stem)
        except InputError as error:
            faults += [fault for fault in error.faults if fault not in faults]
    return faults
