"""What the kinds of changes have in common that bind people: administrators confirm them."""

from functools import partial

from django.db.models import Q

from governance.people.approvals.kinds import ChangeKind
from governance.people.approvals.queries import NONE
from governance.people.approvals.rules import may_read_changes
from governance.people.domain.roles import Role

NOBODY = (
    "Every administrator proposed it or gains by it. An operator grants the role to another person on the server: "
    "manage.py grant USER admin."
)


binding = partial(
    ChangeKind,
    confirmers=(Role.ADMIN,),
    visible=lambda person: Q() if may_read_changes(person) else NONE,
    nobody=NOBODY,
)
