"""Every page with a table of many rows offers the table as a file, or says here why it does not."""

import re

import pytest

from tests.architecture.tree import ROOT

TEMPLATES = ROOT / "templates"
OFFER = "governance/budgets/_fragments/exports.html"
PAGE = re.compile(r'{% extends "(?!layouts/(?:print|mail))')
INCLUDED = re.compile(r'{% include "([^"]+)"')
LOOP = re.compile(r"<tbody>\s*{% for .*?{% endfor %}", re.DOTALL)
WITHOUT = {
    "it shows one thing with its parts": {
        "benchmarking/projections/projection.html",
        "benchmarking/runs/compare.html",
        "benchmarking/runs/dataset.html",
        "benchmarking/runs/run.html",
        "governance/bills/allocation_version.html",
        "governance/bills/bill.html",
        "governance/inventory/model.html",
        "governance/rulebook/checklist.html",
        "governance/rulebook/policy.html",
        "reviews/workflow/metric.html",
        "reviews/workflow/tabs/costs.html",
        "reviews/workflow/tabs/decision.html",
        "reviews/workflow/tabs/evidence.html",
        "reviews/workflow/tabs/policy.html",
        "reviews/workflow/version.html",
    },
    "it shows what a form would do": {
        "benchmarking/projections/cost_spec.html",
        "benchmarking/projections/costs.html",
        "governance/bills/allocation_draft.html",
        "reviews/previews/preview.html",
    },
    "it has as many rows as an installation has such things, which are few": {
        "benchmarking/prices/prices.html",
        "benchmarking/projections/projections.html",
        "benchmarking/runs/datasets.html",
        "benchmarking/runs/workers.html",
        "governance/bills/allocation.html",
        "governance/operations/integrations.html",
        "governance/operations/keys.html",
        "governance/rulebook/catalog.html",
        "governance/rulebook/policies.html",
        "reviews/quarterly/cycles.html",
        "reviews/quarterly/kpis.html",
        "reviews/workloads/usage.html",
    },
    "accounts are no figures, and their names leave in no file": {"governance/operations/people.html"},
    "its rows are in the file of another page: of the audit trail, of the runs, of the scorecard or of a packet": {
        "benchmarking/runs/model_runs.html",
        "governance/operations/changes.html",
        "reviews/quarterly/meeting/accept.html",
        "reviews/quarterly/meeting/item.html",
        "reviews/quarterly/meeting/presenter.html",
        "reviews/quarterly/portfolio.html",
        "reviews/quarterly/preread.html",
        "reviews/quarterly/scorecard.html",
    },
}


def text_of(name: str) -> str:
    return (TEMPLATES / name).read_text()


def parts_of(name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """A template and all that it includes."""
    found = {name}
    for each in INCLUDED.findall(text_of(name)):
        if each not in seen and (TEMPLATES / each).exists():
            found |= parts_of(each, seen | found)
    return found


def pages() -> list[str]:
    names = [str(path.relative_to(TEMPLATES)) for path in sorted(TEMPLATES.rglob("*.html"))]
    return [name for name in names if PAGE.search(text_of(name))]


def has_rows(name: str) -> bool:
    return any(LOOP.search(text_of(part)) for part in parts_of(name) if not part.startswith("components/"))


def offers_a_file(name: str) -> bool:
    return any(OFFER in text_of(part) or "'xlsx'" in text_of(part) for part in parts_of(name))


def test_every_page_with_rows_offers_its_file() -> None:
    missing = {name for name in pages() if has_rows(name) and not offers_a_file(name)}
    listed = [name for names in WITHOUT.values() for name in names]
    assert missing - set(listed) == set()
    assert set(listed) - missing == set()
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    "name", ["governance/bills/spend.html", "governance/bills/unallocated.html", "governance/bills/bill_spend.html"]
)
def test_a_page_that_offers_its_file_is_seen(name: str) -> None:
    assert name in pages()
    assert has_rows(name)
    assert offers_a_file(name)


def test_each_table_of_spend_has_a_file_of_its_own() -> None:
    files = re.compile(r"{% url 'governance:(\w+_export)' 'xlsx'")
    offered = {each for part in parts_of("governance/bills/spend.html") for each in files.findall(text_of(part))}
    assert offered == {"spend_export", "spend_tree_export"}
