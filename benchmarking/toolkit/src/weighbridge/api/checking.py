"""`check`: conditions on the metrics of a result, for pipelines; and signed results."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from weighbridge.api.documents import PathLike, Source, document_of, read_json, write_file
from weighbridge.api.results import Result
from weighbridge.core import attestation
from weighbridge.core.attested_results import result_statement
from weighbridge.core.canonical import is_digest
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.gpu.same_card import card_difference
from weighbridge.measure.results.conditions import Answer, Checked, metrics_in, read_condition
from weighbridge.measure.results.reports import WORDS, junit, markdown
from weighbridge.optimization.language.checked import METRIC, checked_alternatives
from weighbridge.readers.attested import attested_result, chosen_part
from weighbridge.readers.imported_result import ImportedResult
from weighbridge.readers.registry import read_results

SCHEMA = "weighbridge.check/1"
PREDICATE_TYPE = "urn:weighbridge:result:v1"


def check(
    result: Source,
    fail_if: Sequence[str] = (),
    *,
    baseline: Source | None = None,
    junit_file: PathLike | None = None,
    markdown_file: PathLike | None = None,
) -> Result:
    """Check conditions on a result of `profile`, `load_test`, `score`, `compare` or `optimize`.

    A condition is like "latency_p95_ms.upper > 100" or "accuracy.value < baseline.lower - 0.01"; metrics of several
    candidates are "int8:latency_p95_ms". `baseline` is a kept result of the same kind. `junit_file` and `markdown_file`
    are reports for pipelines.

    The result is a `weighbridge.check/1` document: `answer` is `true` if a condition is true, `cannot_tell` if a number
    of one is missing or the baseline is of another graphics card, else `false`. `to_pandas()` has a row for each
    condition. Raises Invalid for a condition of another form, and for documents without metrics.
    """
    conditions = [read_condition(text) for text in fail_if]
    document, before = _loaded(result), _loaded(baseline) if baseline is not None else None
    metrics, kept = metrics_in(document), metrics_in(before) if before is not None else None
    other_card = card_difference(before.get("manifest"), document.get("manifest")) if before is not None else ""
    checked = [condition.check(metrics, kept, other_card=other_card) for condition in conditions]
    if junit_file is not None:
        write_file(Path(junit_file), junit(document, checked), field="junit")
    if markdown_file is not None:
        write_file(Path(markdown_file), markdown(document, metrics, checked).encode(), field="markdown")
    answers = {each.answer for each in checked}
    answer = next((each for each in (Answer.TRUE, Answer.CANNOT_TELL) if each in answers), Answer.FALSE)
    rows = tuple(
        {
            "condition": each.condition,
            "answer": each.answer.value,
            "left": each.left,
            "right": each.right,
            "reason": each.reason or None,
        }
        for each in checked
    )
    verdict = document.get("verdict")
    found = {"schema": SCHEMA, "answer": answer.value, "conditions": rows, "verdict": verdict}
    return Result(found, rows, lambda: [_words(each) for each in checked])


def sign_result(result: Source, out: PathLike, *, key: PathLike) -> Result:
    """Sign a result with an Ed25519 key (PEM), as an in-toto statement in a DSSE envelope, and write it to `out`.

    The subject of the statement is the measured model, or without one the conditions of the run (its manifest), or the
    file of predictions, answers or units that the result is about. Raises Invalid for a result without any of them, and
    for a key of another form.
    """
    document = _loaded(result)
    subject = _subject_of(document)
    statement = {
        "_type": attestation.STATEMENT_TYPE,
        "subject": [{"name": document["schema"], "digest": {"sha256": subject.removeprefix("sha256:")}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": document,
    }
    envelope = attestation.sign(statement, private_key_pem=_key(key))
    write_file(Path(out), (json.dumps(envelope, indent=1) + "\n").encode(), field="out")
    return Result(envelope, (), lambda: [f"signed with the key {envelope_key(envelope)}"])


def _subject_of(document: Mapping[str, Any]) -> str:
    manifest = document.get("manifest") or {}
    abouts = (manifest.get("model"), manifest, *(document.get(name) for name in ("predictions", "answers", "units")))
    digests = [str(about.get("digest")) for about in abouts if isinstance(about, Mapping)]
    subject = next(filter(is_digest, digests), None)
    if subject is None:
        text = (
            "This result names no manifest and no file that it is about, so it cannot be signed. Score predictions or "
            "answers, or compare units, from a file."
        )
        raise Invalid(text, code="result_form", field="result")
    return subject


def verify_result(envelope: Source, *, key: PathLike) -> Result:
    """Return the result in a DSSE envelope if it was signed with the key of this public key (PEM); raise Invalid."""
    statement = attestation.verify(_loaded(envelope), public_key_pem=_key(key))
    if statement.get("predicateType") != PREDICATE_TYPE or not isinstance(statement.get("predicate"), Mapping):
        raise Invalid("The signed statement is not about a result.", code="not_a_statement", field="result")
    document: Mapping[str, Any] = statement["predicate"]  # type: ignore[assignment]  # checked above
    return Result(document, (), lambda: [f"signed: {document.get('schema')}, measured {document.get('measured_at')}"])


def envelope_key(envelope: Mapping[str, Any]) -> str:
    """Return the id of the key that signed an envelope."""
    return str(envelope["signatures"][0]["keyid"])


def attest(  # noqa: PLR0913 -- each is one decision of the caller
    result: PathLike,
    out: PathLike,
    *,
    plan: PathLike,
    key: PathLike,
    tool: str | None = None,
    part: str | None = None,
    metrics: Sequence[str] = (),
    started_at: datetime | None = None,
    finished_at: datetime | None = None,
) -> Result:
    """Sign the result of a tool for the review request of a plan, and write the DSSE envelope to `out`.

    `part` names one of several results in the file. Without `metrics`, those that the standard catalog names are
    signed. The times are needed if the file does not state them. Raises Invalid for a result about another subject or
    other data than the plan names.
    """
    document = read_json(Path(plan))
    chosen = chosen_part(read_results(Path(result), tool=tool), part)
    attested = attested_result(
        chosen,
        plan=document,
        metrics=metrics,
        started_at=started_at,
        finished_at=finished_at,
        alternatives=_alternatives(Path(result), chosen),
    )
    statement = result_statement(attested, subject_name=str(document.get("request", "subject")))
    envelope = attestation.sign(statement, private_key_pem=_key(key))
    write_file(Path(out), (json.dumps(envelope, indent=1) + "\n").encode(), field="out")
    signed = [metric.name for metric in attested.metrics]
    left_out = ", ".join(each.name for each in chosen.metrics if each.name not in signed)
    lines = [f"signed: {', '.join(signed)}; {attested.verdict}", *([f"left out: {left_out}"] if left_out else [])]
    return Result(envelope, (), lambda: lines)


def _alternatives(path: Path, chosen: ImportedResult) -> Mapping[str, Any] | None:
    """Return the document of alternatives in a file, None for other results; raise Invalid if it is inconsistent."""
    count = next((int(metric.value) for metric in chosen.metrics if metric.name == METRIC), None)
    if count is None:
        return None
    document = read_json(path)
    checked_alternatives(document, count=count)
    return document


def _loaded(source: Source) -> Mapping[str, Any]:
    document = document_of(source)
    return read_json(document) if isinstance(document, Path) else document


def _key(path: PathLike) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"The key {path} cannot be read.", code="bad_key", field="key") from error


def _words(checked: Checked) -> str:
    numbers = "" if checked.left is None or checked.right is None else f": {checked.left:g} against {checked.right:g}"
    return f"{WORDS[checked.answer]}: {checked.condition}{numbers}{f' ({checked.reason})' if checked.reason else ''}"
