"""Evaluation sets: their names, and whether a quality value that was measured on one counts as measured."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

NAME = re.compile(r"[^@\x00-\x1f\x7f]{1,120}")


class DatasetStatus(StrEnum):
    """The status of an evaluation set. Only governed sets make a quality value a measured one."""

    PROPOSED = "proposed"
    GOVERNED = "governed"
    RETIRED = "retired"


class DatasetPurpose(StrEnum):
    """What an evaluation set is for. Models are judged only on data that nobody developed or calibrated them with."""

    ACCEPTANCE = "acceptance"
    DEVELOPMENT = "development"
    CALIBRATION = "calibration"


class DatasetTask(StrEnum):
    """What the labels are: whole numbers are classes, other numbers are regression targets."""

    CLASSES = "classes"
    NUMBERS = "numbers"


@dataclass(frozen=True, kw_only=True)
class EvaluationSet:
    """One version of an evaluation set; `steward_teams` are the teams of the data steward when they governed it."""

    name: str
    version: int
    purpose: str
    status: str
    steward_teams: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """The set as policies name it: `held-out@2`."""
        return f"{self.name}@{self.version}"


def reason_not_measured(data: EvaluationSet, *, team: str, accepted: Sequence[str]) -> str:
    """Why quality on this set is not measured for a request of the team, as a sentence; "" if it is.

    `accepted` are the sets that the policy names, as `name` or `name@version`; if it names none, any governed set for
    acceptance counts.
    """
    if data.status == DatasetStatus.PROPOSED:
        return f"The evaluation set {data.title} is not governed: no data steward has confirmed it."
    if data.status == DatasetStatus.RETIRED:
        return f"The evaluation set {data.title} is retired."
    if data.purpose != DatasetPurpose.ACCEPTANCE:
        return f"The evaluation set {data.title} is for {data.purpose}, not for acceptance."
    if team in data.steward_teams:
        return f"The data steward of the evaluation set {data.title} belongs to the team of the request."
    if accepted and data.name not in accepted and data.title not in accepted:
        return f"The policy does not accept the evaluation set {data.title}, only {', '.join(accepted)}."
    return ""


def balance_lines(balance: Mapping[str, int]) -> tuple[tuple[str, int, float], ...]:
    """The rows of each class with their share (0 to 1), by class number."""
    rows = sum(balance.values())
    ordered = sorted(balance.items(), key=lambda line: int(line[0]))
    return tuple((name, count, count / rows) for name, count in ordered)
