"""Which lists can be saved, and which part of an address is a filter."""

from urllib.parse import parse_qsl, urlencode

from weighbridge.core.documents import is_storable
from weighbridge.core.errors import Invalid

NAME_CHARS_MAX, FILTERS_CHARS_MAX, VIEWS_MAX = 60, 1_000, 100
LISTS = {
    "reviews:list": "Requests",
    "governance:models": "Models",
    "governance:findings": "Findings",
    "benchmarking:runs": "Runs",
    "benchmarking:datasets": "Evaluation sets",
    "reviews:workloads": "What runs",
    "reviews:usage": "Usage",
    "benchmarking:prices": "Prices",
    "governance:audit": "Audit",
    "governance:people": "People",
}
"""The lists with filters: the name of their address, and their title."""

_PLACES = frozenset({"page", "after", "before"})


def filters_of(query: str) -> str:
    """The filters of a query string in one order, without empty ones and without the number of the page."""
    given = [(name, value.strip()) for name, value in parse_qsl(query) if name not in _PLACES]
    return urlencode(sorted((name, value) for name, value in given if value))


def check_view(*, list_name: str, name: str, filters: str) -> None:
    """Raise Invalid unless the list can be saved, the name fits, and something is filtered."""
    if list_name not in LISTS:
        raise Invalid(f"Views of the lists {', '.join(LISTS)} can be saved.", field="list_name")
    if not 1 <= len(name) <= NAME_CHARS_MAX:
        raise Invalid(f"Write 1 to {NAME_CHARS_MAX} characters.", field="name")
    if not filters:
        raise Invalid("Set a filter first. The whole list is one click away already.", field="filters")
    if len(filters) > FILTERS_CHARS_MAX or not is_storable(filters):
        raise Invalid("These filters are too long, or have characters that cannot be stored.", field="filters")
