"""Permissions of previews: `check_` functions raise NotAllowed with a reason."""

from governance.people.domain.roles import Person
from governance.people.rules import sees_everything
from weighbridge.core.errors import NotAllowed


def check_preview(person: Person, *, team: str) -> None:
    """Previewing a request of a team: its people, and everybody who may see the requests of all teams."""
    if not person.is_active:
        raise NotAllowed("Your account is not active; ask an administrator.")
    if team in person.teams or sees_everything(person):
        return
    teams = ", ".join(sorted(person.teams)) or "you have none"
    raise NotAllowed(f"You preview requests of your own teams: {teams}.", field="team")
