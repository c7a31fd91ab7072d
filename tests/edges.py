"""What stands at the edges: every form and every input of our own."""

from collections.abc import Iterator
from typing import Any

from tests.tables import PACKAGES


def below(kind: type[Any]) -> Iterator[type[Any]]:
    """Our classes derived from `kind`, of the modules imported so far."""
    for each in kind.__subclasses__():
        if each.__module__.partition(".")[0] in PACKAGES:
            yield each
        yield from below(each)
