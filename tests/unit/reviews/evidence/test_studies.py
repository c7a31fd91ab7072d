"""What is kept of a study: what it says, and its chart."""

import pytest

from reviews.evidence.domain import studies
from reviews.evidence.domain.studies import FiledStudy, filed_study, study_document
from tests.unit.toolkit.readers.studies.files import KINDS, sample
from weighbridge.core.converter import from_document
from weighbridge.core.errors import Invalid


@pytest.mark.parametrize("name", KINDS)
def test_what_is_kept_reads_as_it_was(name: str) -> None:
    filed = filed_study(sample(name))
    assert from_document(FiledStudy, study_document(filed), name="study") == filed
    assert filed.details[0].label == "model"
    assert filed.chart.svg.startswith("<svg")


def test_a_chart_too_large_to_be_shown_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "SVG_CHARS_MAX", 100)
    with pytest.raises(Invalid, match="too large to be shown"):
        filed_study(sample("experiment"))
