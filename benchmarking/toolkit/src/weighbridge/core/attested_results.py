"""Attested results: an in-toto statement about one subject, with the plan it followed and what was measured.

The digest of the plan is in the statement, so that the criteria were fixed before the run. The statement is signed in a
DSSE envelope (`core.attestation`). https://in-toto.io/Statement/v1
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from weighbridge.core import attestation
from weighbridge.core.canonical import DIGEST_PREFIX, digest_of, is_digest, plain
from weighbridge.core.documents import Reader, check_unique
from weighbridge.core.errors import Invalid

PREDICATE_TYPE = "urn:weighbridge:attested-result:v1"
METRICS_MAX, TEXT_MAX = 200, 200
VERDICTS = ("valid", "indicative", "invalid")


@dataclass(frozen=True, kw_only=True)
class AttestedMetric:
    """One value: `lower` and `upper` bound it at `confidence`, `n` is the number of samples."""

    name: str
    value: Decimal
    unit: str
    n: int | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None
    confidence: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class AttestedResult:
    """A result: digests of subject, plan and data (`sha256:...`, "" without data), the tool, times, and values."""

    subject: str
    plan: str
    data: str
    tool: str
    started_at: datetime
    finished_at: datetime
    verdict: str
    manifest: Mapping[str, Any]
    metrics: tuple[AttestedMetric, ...]

    @property
    def digest(self) -> str:
        """The digest of what is stated, whoever signs it and whatever the subject is called."""
        return digest_of(result_statement(self, subject_name=""))


def plan_digest(plan: Mapping[str, Any]) -> str:
    """Return the digest of a plan as the server gives it out."""
    return digest_of(plan)


def result_statement(result: AttestedResult, *, subject_name: str) -> dict[str, object]:
    """Return the in-toto statement of a result; raise Invalid unless its digests are SHA-256."""
    for field in ("subject", "plan"):
        if not is_digest(getattr(result, field)):
            raise Invalid(f"The {field} has no SHA-256 digest, so the result cannot be attested.", field=field)
    return {
        "_type": attestation.STATEMENT_TYPE,
        "subject": [{"name": subject_name, "digest": {"sha256": result.subject.removeprefix(DIGEST_PREFIX)}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "plan": result.plan,
            "data": result.data,
            "tool": result.tool,
            "started_at": plain(result.started_at),
            "finished_at": plain(result.finished_at),
            "verdict": result.verdict,
            "manifest": dict(result.manifest),
            "metrics": [_metric_document(metric) for metric in result.metrics],
        },
    }


def _metric_document(metric: AttestedMetric) -> dict[str, object]:
    return {name: plain(value) for name, value in vars(metric).items() if value is not None}


def read_result(envelope: object, *, public_keys: Iterable[str]) -> tuple[AttestedResult, str]:
    """Return the result and the public key (PEM) that signed it; raise Invalid if none of the keys did."""
    for key in public_keys:
        try:
            statement = attestation.verify(envelope, public_key_pem=key)
        except Invalid as refusal:
            if refusal.code != "bad_signature":
                raise
        else:
            return parse_result(statement), key
    text = "No trusted key signed this result: it is forged, altered, or signed by a key that the policy does not name."
    raise Invalid(text, code="bad_signature", field="envelope")


def parse_result(statement: Mapping[str, object]) -> AttestedResult:
    """Return the result of a verified statement; raise Invalid with the path of the first error."""
    reader = Reader(statement)
    reader.constant("_type", attestation.STATEMENT_TYPE)
    reader.constant("predicateType", PREDICATE_TYPE)
    subjects = reader.items("subject", _subject)
    if len(subjects) != 1:
        raise reader.fault("subject", "must name exactly one subject.")
    predicate = reader.mapping("predicate")
    result = AttestedResult(
        subject=subjects[0],
        plan=_digest(predicate, "plan"),
        data=_digest(predicate, "data", is_required=False),
        tool=_short(predicate, "tool"),
        started_at=_moment(predicate, "started_at"),
        finished_at=_moment(predicate, "finished_at"),
        verdict=_verdict(predicate),
        manifest=_manifest(predicate),
        metrics=predicate.items("metrics", _metric),
    )
    predicate.close()
    reader.close()
    _check_metrics(predicate, result.metrics)
    return result


def _subject(reader: Reader) -> str:
    reader.text("name")
    digests = reader.mapping("digest")
    digest = f"{DIGEST_PREFIX}{digests.text('sha256')}"
    digests.close()
    if not is_digest(digest):
        raise reader.fault("digest", "must have a SHA-256 of 64 lower-case hexadecimal digits.")
    return digest


def _digest(reader: Reader, key: str, *, is_required: bool = True) -> str:
    text = reader.text(key) if is_required else reader.text(key, "")
    if text and not is_digest(text):
        raise reader.fault(key, "must be sha256: followed by 64 lower-case hexadecimal digits.")
    return text


def _short(reader: Reader, key: str) -> str:
    text = reader.text(key)
    if len(text) > TEXT_MAX:
        raise reader.fault(key, f"is longer than {TEXT_MAX} characters.")
    return text


def _moment(reader: Reader, key: str) -> datetime:
    try:
        moment = datetime.fromisoformat(reader.text(key))
    except ValueError:
        raise reader.fault(key, "must be a time like 2026-07-20T10:00:00Z.") from None
    if moment.utcoffset() is None:
        raise reader.fault(key, "must have a time zone, like 2026-07-20T10:00:00Z.")
    return moment


def _verdict(reader: Reader) -> str:
    verdict = reader.text("verdict")
    if verdict not in VERDICTS:
        raise reader.fault("verdict", f"must be one of {', '.join(VERDICTS)}.")
    return verdict


def _manifest(reader: Reader) -> Mapping[str, Any]:
    manifest = reader.plain("manifest")
    if not isinstance(manifest, Mapping):
        raise reader.fault("manifest", "must be a mapping that describes machine and software.")
    return manifest


def _metric(reader: Reader) -> AttestedMetric:
    def number(key: str) -> Decimal | None:
        return reader.number(key) if reader.asks(key) else None

    return AttestedMetric(
        name=reader.text("name"),
        value=reader.number("value"),
        unit=reader.text("unit"),
        n=reader.whole("n", at_least=1) if reader.asks("n") else None,
        lower=number("lower"),
        upper=number("upper"),
        confidence=number("confidence"),
    )


def _check_metrics(reader: Reader, metrics: Sequence[AttestedMetric]) -> None:
    if not 1 <= len(metrics) <= METRICS_MAX:
        raise reader.fault("metrics", f"must list 1 to {METRICS_MAX} values.")
    check_unique(tuple(metric.name for metric in metrics), path="predicate.metrics", name="name")
