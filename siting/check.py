"""Everything that is wrong with a study and its data, found without solving it."""

from __future__ import annotations

from pathlib import Path

from geodata.errors import Fault, InputError
from geodata.pack import LAYERS, Pack
from siting.infeasible import explained, surely_infeasible
from siting.model.model import InfeasibleError, build_model
from siting.model.rule_limits import impossible_rules
from siting.plan import nothing_fits
from siting.study import Study, make_study, open_data, read_study, told_by_file


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
                _check_model(study)
        except InputError as error:
            faults = error.faults
    return faults


def _check_model(study: Study) -> None:
    """Raise what a run would: faults of the data together, and why nothing fits where that is soon found."""
    model = None
    try:
        model = build_model(study)
        if faults := impossible_rules(model):
            raise InfeasibleError(faults)
        if surely_infeasible(study, model):
            raise nothing_fits(study)
    except InfeasibleError as error:
        raise explained(error, study, model) from None


def data_faults(pack: Pack) -> list[Fault]:
    """List the faults of every layer of a pack; one that hangs on a faulty layer repeats that one's."""
    faults: list[Fault] = []
    for layer in LAYERS:
        try:
            getattr(pack, Path(layer).stem)
        except InputError as error:
            faults += [fault for fault in error.faults if fault not in faults]
    return faults
