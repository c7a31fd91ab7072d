"""Studies in a packet."""

from datetime import UTC, datetime
from typing import Any

from reviews.packets.domain.packet_evidence import StudyPart
from weighbridge.readers.imported_result import StudyDetail


def _digest(letter: str) -> str:
    return "sha256:" + letter * 64


def sample_studies() -> tuple[StudyPart, ...]:
    """An A/B test and a matrix, with small charts."""
    picture = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 10"><rect width="40" height="10"/></svg>'
    common: dict[str, Any] = {
        "tool": "Weighbridge",
        "attached_by": "Rita Requester",
        "attached_at": datetime(2026, 7, 14, 11, 0, tzinfo=UTC),
        "chart_svg": picture,
    }
    return (
        StudyPart(
            number=1,
            title="A/B test",
            verdict="valid",
            conclusions=("With any number of looks, a difference is shown: +1.50% (95%: +0.90% to +2.10%).",),
            details=(StudyDetail("model", "the file does not say which"), StudyDetail("planned units", "10,000")),
            file_name="experiment.json",
            file_digest=_digest("5"),
            chart_alt="Treatment against control: +1.50%.",
            **common,
        ),
        StudyPart(
            number=2,
            title="Decision matrix: which classifier",
            verdict="indicative",
            reasons=("5 of 8 estimates are declared or estimated, not measured.",),
            conclusions=("Take the distilled student.", "It wins 94.1% of 10,000 draws."),
            file_name="matrix.json",
            file_digest=_digest("6"),
            chart_alt="Options by criteria.",
            **common,
        ),
    )
