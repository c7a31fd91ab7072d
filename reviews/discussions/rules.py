"""Permissions of comments: who sees a thing comments on it, with an active account and not only as an auditor."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may
from weighbridge.core.errors import NotAllowed


def check_comment(person: Person) -> None:
    """Commenting, answering, resolving and reopening; that the person sees the thing is checked where it is found."""
    if not person.is_active:
        raise NotAllowed("Your account is not active. Ask an administrator.")
    if person.roles == {Role.AUDITOR}:
        raise NotAllowed("Auditors read, and change nothing: they do not comment.")


may_comment = may(check_comment)
