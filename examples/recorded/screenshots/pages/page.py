"""A page of which a picture is made."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True, kw_only=True)
class PicturedPage:
    """A page as a person sees it.

    `name` is the name of the file, `words` is the caption in one sentence, and `alt` says what is in the picture.
    `person` is a user name; empty before the log-in. `presses` are the buttons that are pressed before the picture is
    made, by their names.
    """

    name: str
    title: str
    words: str
    alt: str
    address: Callable[[], str]
    person: str = ""
    presses: tuple[str, ...] = ()
    is_dark: bool = False
    is_narrow: bool = False


@dataclass(frozen=True)
class PageGroup:
    """The pages of one kind of user, in a folder of their own."""

    folder: str
    title: str
    words: str
    pages: tuple[PicturedPage, ...]


def at(name: str, *arguments: object, part: str = "") -> Callable[[], str]:
    """The address of a page by its name; `part` is a query or a place on the page."""
    return lambda: reverse(name, args=arguments) + part
