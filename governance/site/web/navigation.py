"""The navigation: the places of a working day in the bar, and what keeps the house running in the menu of
the reader.
"""

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
    "Models": ("/runs/",),
    "Quarterly": ("/action-items/", "/scorecard/"),
    "Spend": ("/bills/", "/allocation-rules/", "/exchange-rates/"),
}


@dataclass(frozen=True)
class NavigationEntry:
    """A place one can go to, and whether the reader is there."""

    label: str
    url: str
    is_current: bool


def entries(*, path: str, sees_all: bool = False) -> tuple[NavigationEntry, ...]:
    """Every place of the bar; the one whose address the path begins with is current (the inbox only by itself)."""
    quarterly = ("Quarterly", "reviews:cycles") if sees_all else ("Scorecard", "reviews:scorecard")
    return tuple(_entry(label, reverse(name), path) for label, name in (*_PLACES, quarterly))


def menu_entries(
    *, path: str, may_read_trail: bool = False, may_read_changes: bool = False
) -> tuple[NavigationEntry, ...]:
    """What stands in the reader's own menu, as far as they may go there."""
    changes = (("Changes", "governance:changes"),) if may_read_changes else ()
    trail = (("Audit", "governance:audit"),) if may_read_trail else ()
    places = (("Integrations", "governance:integrations"), *changes, *trail)
    return tuple(_entry(label, reverse(name), path) for label, name in places)


def _entry(label: str, url: str, path: str) -> NavigationEntry:
    prefixes = (url, *_BESIDE.get(label, ()))
    return NavigationEntry(label, url, path == url if url == "/" else path.startswith(prefixes))
