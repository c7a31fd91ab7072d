"""Reads of the runs of one model."""

from benchmarking.runs.queries.runs import RunView, describe_all, visible_to
from governance.inventory.models import ModelAsset
from governance.people.domain.roles import Person


def of_model(*, asset: ModelAsset, person: Person, limit: int = 50) -> list[RunView]:
    """Return the latest runs of all versions of a model, newest first; empty if the person may not see them."""
    rows = visible_to(person).filter(model_version__asset=asset).order_by("-pk")
    return list(describe_all(rows[:limit]))
