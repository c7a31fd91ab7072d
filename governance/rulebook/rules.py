"""Permissions: `check_` functions raise with a reason, `may_` functions return a bool."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role
from weighbridge.core.errors import NotAllowed


def check_write_rulebook(person: Person) -> None:
    """Draft a policy or checklist: platform leads and administrators."""
    need_role(person, Role.PLATFORM_LEAD, Role.ADMIN, to="write a policy")


def check_publish_rulebook(person: Person, *, written_by_id: int | None) -> None:
    """Publish: administrators, except the author."""
    need_role(person, Role.ADMIN, to="publish a policy")
    if written_by_id == person.id:
        raise NotAllowed("Authors cannot publish their own policies. Ask another administrator.")


def check_propose_publication(person: Person) -> None:
    """Propose the publication of a draft: everyone who may write one, including its author."""
    need_role(person, Role.PLATFORM_LEAD, Role.ADMIN, to="propose a policy for publication")


may_write_rulebook = may(check_write_rulebook)
