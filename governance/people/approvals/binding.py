"""The common part of the kinds of changes that administrators confirm."""

from functools import partial

from django.db.models import Q

from governance.people.approvals.kinds import ChangeKind
from governance.people.approvals.queries import NONE
from governance.people.approvals.rules import may_read_changes
from governance.people.domain.roles import Role

NO_CONFIRMER = (
    "All administrators proposed it or gain by it. An operator can make another "
    "person an administrator on the server: manage.py grant USER admin."
)


binding = partial(
    ChangeKind,
    confirmers=(Role.ADMIN,),
    visible=lambda person: Q() if may_read_changes(person) else NONE,
    why_none=NO_CONFIRMER,
)
