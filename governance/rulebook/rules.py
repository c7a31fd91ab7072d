"""Who may do what: `check_` raises with a reason, `may_` answers."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role
from weighbridge.core.errors import NotAllowed


def check_write_rulebook(person: Person) -> None:
    """Drafting a policy or checklist: platform leads and administrators."""
    need_role(person, Role.PLATFORM_LEAD, Role.ADMIN, to="write a policy")


def check_publish_rulebook(person: Person, *, written_by_id: int | None) -> None:
    """Publishing: an administrator, and somebody else than the author."""
    need_role(person, Role.ADMIN, to="publish a policy")
    if written_by_id == person.id:
        raise NotAllowed("Somebody other than its author must publish a policy; ask another administrator.")


def may_write_rulebook(person: Person) -> bool:
    """Whether the person may draft a policy."""
    return may(lambda: check_write_rulebook(person))


def check_propose_publication(person: Person) -> None:
    """Proposing to put a draft in force: whoever may write one, its author included."""
    need_role(person, Role.PLATFORM_LEAD, Role.ADMIN, to="propose a policy for publication")
