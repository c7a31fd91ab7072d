"""Reads of what a person chose."""

from collections.abc import Mapping
from dataclasses import dataclass

from governance.notifications.domain.hours import MailHours
from governance.notifications.domain.kinds import CATALOG, NoticePace, pace_of
from governance.notifications.models import NotificationChoice
from governance.notifications.queries.due import hours_of


@dataclass(frozen=True)
class KindChoice:
    """A kind as its person set it."""

    kind: str
    title: str
    meaning: str
    pace: NoticePace


@dataclass(frozen=True)
class Preferences:
    """The paces and the hours of a person."""

    kinds: tuple[KindChoice, ...]
    hours: MailHours


def choices_of(person_id: int) -> Mapping[str, str]:
    """The pace of each kind for which the person chose one."""
    return dict(NotificationChoice.objects.filter(person=person_id).values_list("kind", "pace"))


def preferences_of(person_id: int) -> Preferences:
    """Everything that the person set, and the defaults of the rest."""
    chosen = choices_of(person_id)
    kinds = (KindChoice(name, one.title, one.meaning, pace_of(name, chosen=chosen)) for name, one in CATALOG.items())
    return Preferences(tuple(kinds), hours_of(person_id))
