"""Our own results: the JSON documents of `profile`, `load`, `score`, `answers` and `compare`.

They state a verdict with reasons, and why a metric is missing; both are taken as they are. A signed result is verified
elsewhere: `weighbridge result verify --json` writes the document that is in it.
"""

from collections.abc import Iterable

from weighbridge.core.canonical import is_digest
from weighbridge.core.errors import Invalid
from weighbridge.readers.fields import Fields, shown
from weighbridge.readers.findings import Findings, Sample
from weighbridge.readers.imported_result import ImportedResult, ImportStatus, SubjectHint
from weighbridge.readers.opened import Opened

NAME, TOOL = "weighbridge", "Weighbridge"
PROFILE, LOAD, SCORES, COMPARISON = (f"weighbridge.{kind}/1" for kind in ("result", "load", "scores", "comparison"))
ANSWERS = "weighbridge.answers/1"
ALTERNATIVES = "weighbridge.candidates/1"
"""Of alternatives to a language model; those that are made of a file have no metrics of their own."""
SCHEMAS = (PROFILE, LOAD, SCORES, COMPARISON, ANSWERS, ALTERNATIVES)
DATA = {SCORES: "predictions", ANSWERS: "prompts", ALTERNATIVES: "prompts"}
"""The entries of the files that are the data of a document without a manifest."""
_JUDGED_KINDS = ("result", "load", "comparison", "answers", "candidates", "experiment", "max_rate", "load_search")
JUDGED = tuple(f"weighbridge.{kind}/1" for kind in _JUDGED_KINDS)
"""The documents that state a verdict; one of the others is judged by what it has."""
SIGNED = "payloadType"
DEPTH_MAX = 6
_STATUS = {each.value: each for each in ImportStatus}


def detects(opened: Opened) -> bool:
    """Whether the file is one of our documents, or a signed one."""
    schema = opened.document.get("schema")
    return (isinstance(schema, str) and schema.startswith("weighbridge.")) or SIGNED in opened.document


def read(opened: Opened) -> Iterable[ImportedResult]:
    """Return the result, or one for each candidate of a comparison; raise Invalid for another document of ours."""
    document = Fields(opened.document, file=opened.name)
    if SIGNED in document.names:
        text = f"{opened.name} is a signed result; write its content with `weighbridge result verify --json`."
        raise Invalid(text, code="signed", field="file")
    schema = document.text("schema")
    if schema not in SCHEMAS:
        raise Invalid(f"{opened.name} is {schema}; only {', '.join(SCHEMAS)} are results.", field="file")
    if schema == COMPARISON:
        return (_result(opened, document, each) for each in document.entries("candidates"))
    return [_result(opened, document, None)]


def _result(opened: Opened, document: Fields, candidate: Fields | None) -> ImportedResult:
    return findings_of(opened, document, candidate).result()


def findings_of(opened: Opened, document: Fields, candidate: Fields | None = None) -> Findings:
    """Return what one of our documents states: model, data, conditions, metrics of a result, and verdict."""
    part = candidate.text("name") if candidate is not None else document.text("scenario")
    findings = Findings(reader=NAME, tool=TOOL, files=(opened.file,), part=part or document.text("task") or "")
    findings.absent("tool_version", "The document does not state it.")
    findings.condition("measured_at", document.plain("measured_at"))
    findings.absent("started_at", "The document states one moment of the measurement, in its conditions.")
    manifest = document.inside("manifest")
    model = candidate if candidate is not None else manifest.inside("model")
    findings.model = SubjectHint(name=candidate.text("name") if candidate is not None else None, digest=_digest(model))
    schema = document.text("schema")
    data = document.inside(DATA[schema]) if schema in DATA else manifest.inside("data")
    findings.data = SubjectHint(name=data.text("file"), digest=_digest(data), n=document.count("rows"))
    _conditions(findings, manifest if manifest.names else document)
    for place in (candidate, document):
        if place is not None and place.plain("metrics") is not None:
            _metrics(findings, place.inside("metrics"))
            break
    for missing in document.entries("missing"):
        findings.absent(missing.text("metric") or "", missing.text("message") or "")
    _judge(findings, document)
    return findings


def _digest(place: Fields) -> str | None:
    stated = place.text("digest")
    return stated if stated is not None and is_digest(stated) else None


def _conditions(findings: Findings, place: Fields) -> None:
    for key in ("settings", "plan", "engine", "libraries", "machine", "target"):
        if isinstance(place.plain(key), dict):
            _nested(findings, place.inside(key), key)
    findings.condition("isolation", place.plain("isolation"))
    findings.condition("manifest_digest", place.plain("digest"))


def _nested(findings: Findings, place: Fields, prefix: str, depth: int = 0) -> None:
    for key in place.names:
        if isinstance(place.plain(key), dict) and depth < DEPTH_MAX:
            _nested(findings, place.inside(key), f"{prefix}.{key}", depth + 1)
        else:
            findings.condition(f"{prefix}.{key}", shown(place.plain(key)))


def _metrics(findings: Findings, metrics: Fields) -> None:
    for name in metrics.names:
        metric = metrics.inside(name)
        lower, upper, confidence = (metric.number(key) for key in ("lower", "upper", "confidence"))
        sample = Sample(metric.count("n"), lower, upper, confidence)
        findings.metric(name, metric.number("value"), metric.text("unit") or "unstated", sample)


def _judge(findings: Findings, document: Fields) -> None:
    if document.plain("verdict") is None and document.text("schema") in JUDGED:
        findings.doubt(ImportStatus.INVALID, "The document states no verdict, and such a measurement always has one.")
    for key in ("verdict", "quality_verdict"):
        if document.plain(key) is not None:
            _judge_verdict(findings, document.inside(key))
    if document.flag("is_partial"):
        findings.doubt(ImportStatus.INDICATIVE, "The measurement ended before its plan: the result is partial.")


def _judge_verdict(findings: Findings, verdict: Fields) -> None:
    stated, found = verdict.text("status"), []
    for reason in verdict.entries("reasons"):
        found.append(_STATUS.get(reason.text("status") or "", ImportStatus.INDICATIVE))
        findings.doubt(found[-1], reason.text("message") or reason.text("code") or "The verdict has a reason.")
    if stated != ImportStatus.VALID and _STATUS.get(stated or "", ImportStatus.INVALID) not in found:
        findings.doubt(ImportStatus.INVALID, f"The verdict is {stated}, without a reason.")
