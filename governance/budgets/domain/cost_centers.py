"""The tree that budgets hang on: an organization, its units, their teams, and the projects of a team."""

from enum import StrEnum

from weighbridge.core.errors import Invalid


class Level(StrEnum):
    """How high a cost center stands."""

    ORGANIZATION = "organization"
    UNIT = "unit"
    TEAM = "team"
    PROJECT = "project"

    @property
    def parents(self) -> frozenset["Level"]:
        """Under which levels it may hang; none for the organization, which is the root."""
        return _PARENTS[self]


_PARENTS = {
    Level.ORGANIZATION: frozenset[Level](),
    Level.UNIT: frozenset({Level.ORGANIZATION}),
    Level.TEAM: frozenset({Level.ORGANIZATION, Level.UNIT}),
    Level.PROJECT: frozenset({Level.TEAM}),
}


def check_parent(*, level: Level, parent: Level | None) -> None:
    """Raise Invalid unless a cost center of that level may hang under one of `parent`."""
    if parent in level.parents or (parent is None and not level.parents):
        return
    if not level.parents:
        raise Invalid("An organization is the root of the tree and hangs under nothing.", field="parent")
    wanted = " or ".join(sorted(each.value for each in level.parents))
    raise Invalid(f"A {level.value} hangs under a cost center of the level {wanted}.", field="parent")
