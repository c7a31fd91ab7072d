"""A measurement in the browser of a device, beside the same model on the machine that served it."""

from typing import TYPE_CHECKING

from weighbridge.core.errors import Invalid
from weighbridge.readers.fields import Fields
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportStatus
from weighbridge.readers.studies.study import Study, study_of
from weighbridge.readers.study_kinds import StudyKind

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart

TIMES = {f"latency_{percentile}_ms": percentile for percentile in ("p50", "p95", "p99")}
Times = dict[str, tuple[float, float, float]]


def read_device(document: Fields, findings: Findings) -> Study:
    """Return the study of a `weighbridge.result/1` that a device reported."""
    times = _times(document)
    if not times:
        text = f"{document.file} has no latency: the device answered too few queries. Measure for longer."
        raise Invalid(text, code="no_metrics", field="file")
    agreement, machine = document.inside("agreement"), document.inside("manifest", "machine")
    if agreement.flag("is_within") is not True:
        text = "The answers of the device differ from those of ONNX Runtime."
        findings.doubt(ImportStatus.INVALID, text)
    for note in document.entries("notes"):
        if note.text("code") == "device.unattested":
            findings.doubt(ImportStatus.INDICATIVE, note.text("message") or "Nobody attests this measurement.")
    here = _times(document.inside("here"))
    conclusions = _conclusions(times, here)
    return study_of(
        findings,
        StudyKind.DEVICE,
        conclusions=conclusions,
        details={
            "device": f"{machine.text('browser') or 'unknown browser'} on {machine.text('os') or 'unknown system'}",
            "processors": str(machine.count("cpus_usable") or ""),
            "engine": document.inside("manifest", "engine").text("engine") or "",
            "answers": f"{agreement.count('queries') or 0:,} queries compared with ONNX Runtime",
        },
        draw=lambda: _chart(times, here, " ".join(conclusions)),
    )


def _times(document: Fields) -> Times:
    metrics = document.inside("metrics")
    return {word: metrics.interval(name) for name, word in TIMES.items() if name in metrics.names}


def _conclusions(times: Times, here: Times) -> tuple[str, ...]:
    from weighbridge.cli.tables.terminal import number

    word, (value, lower, upper) = list(times.items())[-1]
    text = f"On the device, {word} of the latency is {number(value)} ms ({number(lower)} to {number(upper)})."
    if word in here and here[word][0] > 0:
        times_slower = number(value / here[word][0])
        return (text, f"That is {times_slower} times the latency on the machine that served the model.")
    return (text,)


def _chart(times: Times, here: Times, words: str) -> "Chart":
    from weighbridge.charts.bars import FIELDS, Bar, bars
    from weighbridge.cli.tables.terminal import number

    rows = [
        Bar(
            word,
            value,
            lower=lower,
            upper=upper,
            claim=here[word][0] if word in here else None,
            words=f"{number(value)} ms",
        )
        for word, (value, lower, upper) in times.items()
    ]
    names = ["on the machine that served it" if field == "claim" else field for field in FIELDS]
    key = "diamond: on the machine that served it" if here else ""
    alt = f"Latency on the device in milliseconds. {words}"
    return bars(rows, title="Latency on the device", unit="ms", alt=alt, names=names, key=key)
