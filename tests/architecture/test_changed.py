"""`make test-changed` knows every import that import-linter's own graph knows, and the views of the pages."""

import grimp

from tests.architecture.tree import ROOT
from tests.changed.__main__ import tree_of

PACKAGES = ("config", "reviews", "benchmarking", "governance", "weighbridge")


def test_no_import_is_missed() -> None:
    found = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)
    graph = tree_of(ROOT).graph
    missed = [
        f"{module} imports {other}"
        for module in sorted(found.modules & graph.needs.keys())
        for other in found.find_modules_directly_imported_by(module)
        if other not in graph.needs[module] and "migrations" not in other
    ]
    assert len(found.modules & graph.needs.keys()) > 1_000
    assert missed == []


def test_views_have_addresses() -> None:
    tree = tree_of(ROOT)
    views = {route.module for route in tree.routes()} & tree.graph.paths.keys()
    assert {"reviews.inbox.web", "reviews.feed.api.gate", "governance.saved_views.web"} <= views
