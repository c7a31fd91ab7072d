"""How to call every write of absences, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

from governance.absences.actions import absences
from tests.factories.absences import confirmed, make_absence
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]


def _state(cast: Cast, now: datetime) -> None:
    make_absence(cast.reviewer_one, deputy=cast.reviewer_two, now=now)


def _end(cast: Cast, now: datetime) -> None:
    absences.end_absence(absence=make_absence(cast.reviewer_one, now=now), by=cast.reviewer_one, now=now)


def _propose(cast: Cast, now: datetime) -> None:
    confirmed(cast.reviewer_one, cast.finance, cast=cast, now=now)


ACTIONS: Mapping[str, Call] = {
    "governance.absences.actions.absences.state_absence": _state,
    "governance.absences.actions.absences.end_absence": _end,
    "governance.absences.actions.deputies.propose_deputy": _propose,
}
