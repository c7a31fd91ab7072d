"""What changed between two checklists, in words."""

from dataclasses import replace

import yaml

from governance.rulebook.domain import defaults
from governance.rulebook.domain.checklists import ItemKind, parse_checklist
from governance.rulebook.domain.policy_diff import diff_checklists

BEFORE = parse_checklist(yaml.safe_load(defaults.text_of(defaults.CHECKLIST)))


def changed(**fields):
    return replace(BEFORE, **fields)


def told(after):
    return [(change.path, change.before, change.after) for change in diff_checklists(BEFORE, after)]


def test_nothing_changed():
    assert told(BEFORE) == []


def test_fields_of_the_checklist_and_of_an_item():
    first = replace(BEFORE.items[0], required=False, help="")
    assert told(changed(title="Shorter", items=(first, *BEFORE.items[1:]))) == [
        ("title", "Standard model review", "Shorter"),
        ("items[business-metrics].help", BEFORE.items[0].help, ""),
        ("items[business-metrics].required", "yes", "no"),
    ]


def test_items_that_come_and_go():
    new = replace(BEFORE.items[0], id="new", title="New", kind=ItemKind.FILE, required=False)
    assert told(changed(items=(*BEFORE.items[1:], new))) == [
        ("items[business-metrics]", "Required business metrics (metric)", None),
        ("items[new]", None, "New (file, optional)"),
    ]


def test_another_order():
    (change,) = diff_checklists(BEFORE, changed(items=BEFORE.items[::-1]))
    assert change.path == "items"
    assert change.words.startswith("The order of the items changed from ")
    assert f" to {BEFORE.items[-1].title}, {BEFORE.items[-2].title}, " in change.words
