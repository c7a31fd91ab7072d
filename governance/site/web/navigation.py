"""The navigation: daily work in the main bar, administration in the user menu."""

from dataclasses import dataclass

from django.urls import reverse

_PLACES = (
    ("Inbox", "reviews:inbox"),
    ("Requests", "reviews:list"),
    ("Models", "governance:models"),
    ("Costs", "benchmarking:costs"),
    ("Policy", "governance:policies"),
    ("Budgets", "governance:budgets"),
    ("Spend", "governance:spend"),
)

_BESIDE = {
    "Budgets": ("/findings/", "/cost-centers/"),
    "Models": ("/runs/", "/datasets/", "/workloads/", "/usage/"),
    "Quarterly": ("/action-items/", "/scorecard/"),
    "Spend": ("/bills/", "/allocation-rules/", "/exchange-rates/"),
}


@dataclass(frozen=True)
class NavigationEntry:
    """A link, and whether it is the current page."""

    label: str
    url: str
    is_current: bool


def entries(*, path: str, sees_all: bool = False) -> tuple[NavigationEntry, ...]:
    """All entries of the main bar. Current is the one whose URL is a prefix of the path (the inbox: equals it)."""
    quarterly = ("Quarterly", "reviews:cycles") if sees_all else ("Scorecard", "reviews:scorecard")
    return tuple(_entry(label, reverse(name), path) for label, name in (*_PLACES, quarterly))


def menu_entries(*, path: str, may_read_trail: bool, may_read_changes: bool) -> tuple[NavigationEntry, ...]:
    """The entries of the user menu that the person may open."""
    places = (("Absences", True), ("Integrations", True), ("Changes", may_read_changes), ("Audit", may_read_trail))
    return tuple(_entry(label, reverse(f"governance:{label.lower()}"), path) for label, is_open in places if is_open)


def _entry(label: str, url: str, path: str) -> NavigationEntry:
    prefixes = (url, *_BESIDE.get(label, ()))
    return NavigationEntry(label, url, path == url if url == "/" else path.startswith(prefixes))
