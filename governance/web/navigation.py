"""The main navigation: the places, in the order of a working day."""

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
    ("Integrations", "governance:integrations"),
)

_BESIDE = {"Models": ("/runs/",), "Quarterly": ("/actions/", "/scorecard/"), "Spend": ("/bills/",)}


@dataclass(frozen=True)
class Entry:
    """A place one can go to, and whether the reader is there."""

    label: str
    url: str
    is_current: bool


def entries(
    *, path: str, may_read_trail: bool = False, may_read_changes: bool = False, sees_all: bool = False
) -> tuple[Entry, ...]:
    """Every place the reader may go; the one whose address the path begins with is current (the inbox only by itself)."""
    quarterly = (("Quarterly", "reviews:cycles"),) if sees_all else (("Scorecard", "reviews:scorecard"),)
    changes = (("Changes", "governance:changes"),) if may_read_changes else ()
    trail = (("Audit", "governance:audit"),) if may_read_trail else ()
    places = (*_PLACES[:-1], *quarterly, _PLACES[-1], *changes, *trail)
    return tuple(_entry(label, reverse(name), path) for label, name in places)


def _entry(label: str, url: str, path: str) -> Entry:
    prefixes = (url, *_BESIDE.get(label, ()))
    return Entry(label, url, path == url if url == "/" else path.startswith(prefixes))
