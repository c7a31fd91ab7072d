"""Which route takes a ticket: the most specific one that covers it, as with the scopes of policies."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar


class Work(StrEnum):
    """What a ticket is about: the review of a request, or an action item of a quarterly review."""

    REVIEW = "review"
    ACTION_ITEM = "action_item"

    @property
    def label(self) -> str:
        """As shown on pages."""
        return "Reviews of requests" if self is Work.REVIEW else "Action items of quarterly reviews"


@dataclass(frozen=True, kw_only=True)
class RoutedSubject:
    """The properties of a ticket that a route can select: slug of the team, kind of model, work. "" is unknown."""

    team: str = ""
    kind: str = ""
    work: str


@dataclass(frozen=True, kw_only=True)
class RouteScope:
    """The tickets that a route takes. An empty dimension takes all; an unknown property meets only an empty one."""

    team: str = ""
    kind: str = ""
    work: str = ""

    def covers(self, subject: RoutedSubject) -> bool:
        """Whether the route takes the ticket."""
        pairs = ((self.team, subject.team), (self.kind, subject.kind), (self.work, subject.work))
        return all(not wanted or wanted == own for wanted, own in pairs)

    @property
    def rank(self) -> tuple[int, bool, bool, bool]:
        """The number of dimensions; of two with as many, team counts before kind, and kind before work."""
        named = (bool(self.team), bool(self.kind), bool(self.work))
        return (sum(named), *named)


class Routed(Protocol):
    """Something with the scope of a route."""

    @property
    def scope(self) -> RouteScope:
        """The tickets that it takes."""
        ...


AnyRouted = TypeVar("AnyRouted", bound=Routed)


def chosen_route(routes: Iterable[AnyRouted], subject: RoutedSubject) -> AnyRouted | None:
    """The most specific route that covers the subject; None if there is none. No two have the same scope."""
    covering = [route for route in routes if route.scope.covers(subject)]
    return max(covering, key=lambda route: route.scope.rank, default=None)
