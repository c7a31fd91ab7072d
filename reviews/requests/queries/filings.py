"""What a requester fills in, and what is wrong with it."""

from dataclasses import dataclass
from typing import Any

from benchmarking.runs.domain.evaluation_sets import DatasetStatus
from benchmarking.runs.models import Dataset
from governance.inventory.models import ModelVersion
from reviews.requests.enums import ENVIRONMENT_NAMES
from weighbridge.core.errors import Invalid

RIVALS_MAX = 5
TEXTS = {"title": 160, "purpose": 200, "business_case": 20_000}


@dataclass(frozen=True, kw_only=True)
class Filing:
    """The fields of a request that a requester fills in."""

    title: str
    purpose: str
    environment: str
    business_case: str
    model_version: ModelVersion
    dataset: Dataset | None = None
    rivals: tuple[ModelVersion, ...] = ()

    @property
    def columns(self) -> dict[str, Any]:
        """The fields stored in the row of the request itself."""
        return {name: value for name, value in vars(self).items() if name != "rivals"}


def check_filing(filing: Filing) -> None:
    """Raise Invalid, with the field, unless a request can have these fields."""
    for field, chars_max in TEXTS.items():
        text, label = getattr(filing, field), field.replace("_", " ")
        if not text.strip():
            raise Invalid(f"The {label} is missing.", field=field)
        if len(text) > chars_max:
            raise Invalid(f"The {label} has {len(text):,} characters; the limit is {chars_max:,}.", field=field)
    if filing.environment not in ENVIRONMENT_NAMES:
        raise Invalid(f"The environment must be one of {', '.join(ENVIRONMENT_NAMES)}.", field="environment")
    _check_dataset(filing)
    _check_rivals(filing)


def _check_dataset(filing: Filing) -> None:
    """Raise Invalid for another team's set that is not governed, as if it did not exist, and for a retired one."""
    data = filing.dataset
    if data is None:
        return
    if data.status != DatasetStatus.GOVERNED and data.team_id != filing.model_version.asset.team_id:
        raise Invalid("This evaluation set cannot be used: choose a governed one, or one of the team.", field="dataset")
    if data.status == DatasetStatus.RETIRED:
        raise Invalid(f"The evaluation set {data} is retired; choose another one.", field="dataset")


def _check_rivals(filing: Filing) -> None:
    rivals, subject = filing.rivals, filing.model_version
    if len(rivals) > RIVALS_MAX:
        raise Invalid(f"A request can have at most {RIVALS_MAX} other candidates.", field="rivals")
    digests = [subject.digest, *(rival.digest for rival in rivals)]
    if len(set(digests)) < len(digests):
        raise Invalid(
            "Each candidate must be a different file: choose none twice, and not the model itself.", field="rivals"
        )
    for rival in rivals:
        if rival.asset.team_id != subject.asset.team_id:
            raise Invalid(f"{rival} belongs to another team; candidates must be models of your team.", field="rivals")
        if not rival.stored_as or rival.format != "onnx":
            raise Invalid(f"{rival} cannot be measured here: upload it as an ONNX file.", field="rivals")
    if rivals and filing.dataset is None:
        raise Invalid("Other candidates are compared on evaluation data: choose a data set.", field="dataset")
