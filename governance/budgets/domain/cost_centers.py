"""The cost center tree: an organization, its units, their teams, and the projects of a team."""

from enum import StrEnum

from weighbridge.core.errors import Invalid


class CenterLevel(StrEnum):
    """The level of a cost center in the tree."""

    ORGANIZATION = "organization"
    UNIT = "unit"
    TEAM = "team"
    PROJECT = "project"

    @property
    def parents(self) -> frozenset["CenterLevel"]:
        """The allowed levels of its parent; none for the organization, which is the root."""
        return _PARENTS[self]


_PARENTS = {
    CenterLevel.ORGANIZATION: frozenset[CenterLevel](),
    CenterLevel.UNIT: frozenset({CenterLevel.ORGANIZATION}),
    CenterLevel.TEAM: frozenset({CenterLevel.ORGANIZATION, CenterLevel.UNIT}),
    CenterLevel.PROJECT: frozenset({CenterLevel.TEAM}),
}


def check_parent(*, level: CenterLevel, parent: CenterLevel | None) -> None:
    """Raise Invalid unless a cost center of that level may have a parent of level `parent`."""
    if parent in level.parents or (parent is None and not level.parents):
        return
    if not level.parents:
        raise Invalid("An organization is the root of the tree and has no parent.", field="parent")
    wanted = " or ".join(sorted(each.value for each in level.parents))
    raise Invalid(f"The parent of a {level.value} must be a cost center of the level {wanted}.", field="parent")
