"""Reports of checked conditions for pipelines: JUnit XML, and a summary in Markdown."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

from weighbridge.cli.tables.metric_titles import metric_title
from weighbridge.cli.tables.terminal import number
from weighbridge.measure.results.conditions import Answer, Checked
from weighbridge.measure.verdict import Status

SUITE = "weighbridge"
WORDS = {Answer.TRUE: "fails", Answer.FALSE: "passes", Answer.CANNOT_TELL: "cannot be told"}


def junit(document: Mapping[str, Any], checked: Sequence[Checked]) -> bytes:
    """Return one test case for the verdict and one for each condition.

    A condition that is true is a failure, one that cannot be told an error; so is an invalid measurement.
    """
    suite = ET.Element("testsuite", name=SUITE)
    verdict = document.get("verdict") or {"status": Status.VALID.value, "reasons": ()}
    case = ET.SubElement(suite, "testcase", classname=SUITE, name="the measurement is valid")
    if verdict["status"] == Status.INVALID:
        reasons = "; ".join(reason["message"] for reason in verdict["reasons"])
        ET.SubElement(case, "error", message=reasons)
    for each in checked:
        case = ET.SubElement(suite, "testcase", classname=SUITE, name=f"not {each.condition}")
        if each.answer is Answer.TRUE:
            ET.SubElement(case, "failure", message=_comparison(each))
        elif each.answer is Answer.CANNOT_TELL:
            ET.SubElement(case, "error", message=each.reason)
    counts = {kind: len(suite.findall(f"testcase/{kind}")) for kind in ("failure", "error")}
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(counts["failure"]))
    suite.set("errors", str(counts["error"]))
    ET.indent(suite)
    text: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def markdown(document: Mapping[str, Any], metrics: Mapping[str, Any], checked: Sequence[Checked]) -> str:
    """Return the verdict, the conditions and the metrics as Markdown."""
    lines = ["## Weighbridge", ""]
    verdict = document.get("verdict")
    if verdict is not None:
        lines += [f"Measurement: **{verdict['status']}**", ""]
        lines += [f"- {_escaped(reason['message'])}" for reason in verdict["reasons"]]
        lines += [""] if verdict["reasons"] else []
    if checked:
        lines += ["| condition | answer | compared |", "| --- | --- | --- |"]
        lines += [f"| `{_escaped(each.condition)}` | {WORDS[each.answer]} | {_comparison(each)} |" for each in checked]
        lines += [""]
    lines += ["| metric | value | lower | upper | unit |", "| --- | ---: | ---: | ---: | --- |"]
    for name, metric in metrics.items():
        ends = " | ".join(number(metric.get(end)) for end in ("value", "lower", "upper"))
        lines.append(f"| {_escaped(metric_title(name))} | {ends} | {_escaped(str(metric.get('unit', '')))} |")
    return "\n".join(lines) + "\n"


def _comparison(checked: Checked) -> str:
    if checked.reason:
        return _escaped(checked.reason)
    return f"{number(checked.left)} against {number(checked.right)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
