"""Samples of the real tools, and changed copies of them."""

import json
from pathlib import Path

from weighbridge.readers.registry import read_results

SAMPLES = Path(__file__).parent / "samples"
ALL = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".md" and path.name != "inspect_error.json")


def sample(name):
    """Read a sample."""
    return read_results(SAMPLES / name)


def only(name):
    """Read a sample with one result."""
    (result,) = sample(name)
    return result


def changed(folder, name, change, *, out="changed.json"):
    """Read a copy of a JSON sample after a change of its document."""
    document = json.loads((SAMPLES / name).read_text())
    document = change(document) or document
    path = folder / out
    path.write_text(json.dumps(document))
    return read_results(path)


def values(result):
    """Return the metrics as texts with units by name."""
    return {metric.name: f"{metric.value} {metric.unit}" for metric in result.metrics}


def metric(result, name):
    """Return one metric."""
    (found,) = [each for each in result.metrics if each.name == name]
    return found


def absent(result):
    """Return the reasons by name."""
    return {each.name: each.reason for each in result.absent}


def doubts(result):
    """Return the status, and the messages."""
    return result.verdict.status.value, [doubt.message for doubt in result.verdict.doubts]
