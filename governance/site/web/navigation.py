"""The main bar: daily work. What lies beside it: `governance.operations.web.places`."""

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
    return tuple(entry(label, reverse(name), path) for label, name in (*_PLACES, quarterly))


def entry(label: str, url: str, path: str) -> NavigationEntry:
    """The link; current if its address, or one beside it, begins the path (the inbox: is the path)."""
    prefixes = (url, *_BESIDE.get(label, ()))
    return NavigationEntry(label, url, path == url if url == "/" else path.startswith(prefixes))
