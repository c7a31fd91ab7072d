"""The teams that a person belongs to, for rules about a person's own team."""

from datetime import datetime, timedelta

from governance.audit.models import AuditEvent
from governance.people.domain.roles import Person, Role
from governance.people.models import Team

MEMBER_FOR = timedelta(days=90)
"""How long a person still belongs to a team after losing the role or the model that made them a member."""


def team_slugs_of(person: Person, *, now: datetime) -> frozenset[str]:
    """Slugs of the teams of a person: those whose requester they are, or one of whose models they own, now or within
    the last 90 days.
    """
    past = AuditEvent.objects.filter(at__gt=now - MEMBER_FOR)
    left = past.filter(kind="role.revoked", subject_type="person", subject=person.username)
    left = left.filter(details__role=Role.REQUESTER.value)
    given_away = past.filter(kind="model.registered", details__before__owner=person.username)
    owned = Team.objects.filter(models__owner=person.id)
    slugs = {
        *left.values_list("details__team", flat=True),
        *(subject.partition("/")[0] for subject in given_away.values_list("subject", flat=True)),
        *owned.values_list("slug", flat=True),
    }
    return person.teams | slugs
