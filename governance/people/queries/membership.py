"""The teams that a person belongs to, for rules about a person's own team."""

from datetime import datetime, timedelta

from django.db.models import CharField, Func, Q, Value
from django.db.models.fields.json import KT

from governance.audit.models import AuditEvent
from governance.people.domain.roles import Person, Role
from governance.people.models import Team

MEMBER_FOR = timedelta(days=90)
"""How long a person still belongs to a team after losing the role or the model that made them a member."""
TEAM_OF_SUBJECT = Func("subject", Value("/"), Value(1), function="split_part", output_field=CharField())
"""The team of a model, which is written like search/ranker."""


def team_slugs_of(person: Person, *, now: datetime) -> frozenset[str]:
    """Slugs of the teams of a person: those whose requester they are, or one of whose models they own, now or within
    the last 90 days.
    """
    past = AuditEvent.objects.filter(at__gt=now - MEMBER_FOR).order_by()
    left = past.filter(kind="role.revoked", subject_type="person", subject=person.username)
    left = left.filter(details__role=Role.REQUESTER.value)
    given_away = past.alias(owner=KT("details__before__owner")).filter(kind="model.registered", owner=person.username)
    belongs = (
        Q(models__owner=person.id)
        | Q(slug__in=left.values_list(KT("details__team")))
        | Q(slug__in=given_away.values_list(TEAM_OF_SUBJECT))
    )
    return person.teams.union(Team.objects.filter(belongs).values_list("slug", flat=True))
