"""What a rule of a study may not be: each fault once, in one line, with what to write instead."""

from __future__ import annotations

import pytest

from geodata.errors import InputError
from siting.rules import rule_faults, rules_of
from siting.study import FACILITY_TYPES, load_study, study_faults, study_text

GOOD = {"rule": "sites", "states": ["Bihar"], "at_least": 1, "at_most": 3}
WRONG = {
    "no kind": ({"at_least": 1}, "rule 1 does not say what it is", "write rule = one of 'state_budget'"),
    "an unknown kind": ({"rule": "site"}, "rule 1 is an unknown 'site'", "did you mean 'sites'?"),
    "an unknown key": ({**GOOD, "at_leest": 1}, "(sites) has an unknown key 'at_leest'", "did you mean 'at_least'?"),
    "a key of another kind": ({**GOOD, "hours": 3}, "unknown key 'hours'", "known:"),
    "a contradiction": ({**GOOD, "at_least": 4}, "contradicts itself: at_least = 4, at_most = 3", "at most the second"),
    "no limit": ({"rule": "sites"}, "(sites) has no limit", "give at_least or at_most"),
    "half a site": ({"rule": "sites", "at_most": 1.5}, "at_most = '1.5' is not whole", "decimals"),
    "a share over 1": ({"rule": "access", "hours": 8, "at_least_share": 80}, "at_least_share = '80' is out of range",
                       "a share is 0 to 1: write 0.8 for 80 %"),
    "no hours": ({"rule": "access", "at_least_share": 0.8}, "(access) has no hours", "hours = a number"),
    "something else counted": ({"rule": "access", "hours": 8, "at_least_share": 0.8, "of": "people"},
                               "of = 'people' is unknown", "choose from districts, exports"),
    "an unknown type": ({**GOOD, "facility_types": ["shed"]}, "names unknown 'shed'", "choose from warehouse"),
    "no state": ({"rule": "state_budget", "at_least_inr_crore": 5}, "names no state", "each_state = true"),
    "two ceilings": ({"rule": "carbon", "at_most_share": 0.9, "at_most_t_per_year": 5.0}, "has both", "keep one"),
    "states twice": ({"rule": "state_saving", "at_least_share": 0.1, "states": ["A"], "except_states": ["B"]},
                     "has both states and except_states", "keep one"),
    "a number in quotes": ({"rule": "sites", "at_least": "3"}, "is not a number", "without quotes"),
    "no list of states": ({**GOOD, "states": "Bihar"}, "is not a list of texts", '["one", "two"]'),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "what", "remedy"), WRONG.values(), ids=WRONG)
def test_a_wrong_rule_has_one_fault_with_its_remedy(rule, what, remedy):
    (fault,) = rule_faults([rule], "a.toml", FACILITY_TYPES)
    assert what in fault.message
    assert remedy in fault.remedy
    assert fault.message.startswith("rule 1")


def test_a_good_rule_has_none():
    assert rule_faults([GOOD], "a.toml", FACILITY_TYPES) == []


def test_rules_that_are_no_list_of_tables_are_told_as_such():
    for values in ({"rule": "carbon"}, ["carbon"], "carbon"):
        (fault,) = rule_faults(values, "a.toml", FACILITY_TYPES)
        assert "no list of tables" in fault.message


def test_two_rules_may_not_have_one_name_and_those_without_get_their_own():
    named = [{**GOOD, "name": "Parks"}, {**GOOD, "name": "Parks"}]
    (fault,) = rule_faults(named, "a.toml", FACILITY_TYPES)
    assert "two rules have the name 'Parks'" in fault.message
    taken = {**GOOD, "name": "Sites in Bihar"}
    assert [rule.name for rule in rules_of([taken, GOOD, GOOD])] == [
        "Sites in Bihar", "Sites in Bihar (2)", "Sites in Bihar (3)",
    ]  # fmt: skip


def test_rules_of_a_study_file_are_read_checked_and_written_again(tmp_path):
    text = '[study]\nname = "Ruled"\n[[rules]]\nrule = "carbon"\nat_most_share = 0.9\n[[rules]]\n'
    path = tmp_path / "ruled.toml"
    path.write_text(text + 'rule = "sites"\nstates = ["Bihar"]\nat_most = 2\n')
    study = load_study(path)
    assert [rule["rule"] for rule in study.rules] == ["carbon", "sites"]
    path.write_text(study_text(study, tmp_path))
    assert load_study(path) == study
    path.write_text(text + 'rule = "sites"\nat_most = -1\n')
    with pytest.raises(InputError, match="rule 2 \\(sites\\): at_most = '-1' is out of range"):
        load_study(path)
    path.write_text('[study]\nname = "x"\n[rules]\nrule = "carbon"\n')
    with pytest.raises(InputError, match=r"rules is no list of tables"):
        load_study(path)


def test_rules_are_a_key_of_a_study_like_any_other():
    (fault,) = study_faults({"rules": [{"rule": "sites"}]}, "scenario")
    assert fault.file == "scenario"
    assert study_faults({"rules": [GOOD]}, "scenario") == []
