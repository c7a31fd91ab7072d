"""The result of a device: the statistics of `profile` on its raw samples, its conditions, and its verdict."""

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from weighbridge.core.converter import to_document
from weighbridge.measure import metrics, scenario_metrics
from weighbridge.measure.conditions.manifest import NOT_VISIBLE
from weighbridge.measure.conditions.model_file import file_entry
from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.measure.loops.warmup import WarmUpReport, halves_agree
from weighbridge.measure.results.document import timed_document
from weighbridge.measure.verdict import MAX_MOVEMENT, Status, ValidityReason, Verdict, run_reasons
from weighbridge.systems.device.answers import Agreement
from weighbridge.systems.device.job import STEPS_PER_BLOCK, DeviceJob
from weighbridge.systems.device.report import Report

ISOLATION = "the browser of the device"
UNATTESTED = (
    "A device reported this measurement. Its percentiles follow from its samples, and its answers were compared here; "
    "nobody attests that the device ran the model, or that it is the device it says it is."
)
MEMORY = {"metric": "peak_memory_mb", "message": "peak_memory_mb has no value: a browser does not tell it."}
ENERGY = {"metric": "energy_per_query_j", "message": "energy_per_query_j has no value: a browser does not tell it."}
MB_PER_GIB = 1_073.741824


def device_document(
    job: DeviceJob,
    report: Report,
    agreement: Agreement,
    *,
    version: str,
    measured_at: datetime,
    here: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the `weighbridge.result/1` document of a report; `here` is the result of `profile` on this machine.

    Raises Invalid for a report whose samples cannot be.
    """
    run = _run_of(job, report)
    scenario = job.settings.scenario
    minimum = scenario_metrics.minimum_of(scenario)
    reasons = (*run_reasons(run, scenario=scenario, minimum=minimum), *_device_reasons(report, run, agreement))
    values = {
        **scenario_metrics.metrics_of(run, scenario),
        "load_time_ms": metrics.point_metric(report.load_ms, "ms"),
        "first_inference_ms": metrics.point_metric(report.first_ms, "ms"),
        "model_size_mb": metrics.point_metric(job.file.size_mb, "MB"),
    }
    document = timed_document(
        run,
        job.queries,
        scenario,
        values,
        _described(job, report, version),
        verdict=Verdict(reasons),
        interference=None,
        missing=[MEMORY, ENERGY],
    )
    return document | {
        "measured_at": measured_at.isoformat(),
        "agreement": {**dataclasses.asdict(agreement), "is_within": agreement.is_within},
        "device": _conditions(report),
        "here": here,
        "notes": [{"code": code, "message": text} for code, text in _notes(report)],
    }


def _run_of(job: DeviceJob, report: Report) -> LatencyRun:
    latencies = report.latencies_ns()
    warm_up, count = report.warm_up, len(job.order)
    values = warm_up.values_ms[-job.settings.scenario.warmup.values :]
    is_settled = len(values) == job.settings.scenario.warmup.values and halves_agree(values)
    asked = len(latencies) * report.block
    return LatencyRun(
        latencies,
        {},
        report.duration_ms / 1e3,
        min(asked, count),
        WarmUpReport(warm_up.inferences, warm_up.duration_ms / 1e3, is_settled),
        queries=job.order[np.arange(len(latencies)) % count] if report.block == 1 else None,
    )


def _described(job: DeviceJob, report: Report, version: str) -> dict[str, Any]:
    device, queries = report.device, job.queries
    sent = f"; {len(job.order)} of them were sent" if len(job.order) < len(queries.feeds) else ""
    memory = NOT_VISIBLE if device.memory_gb is None else round(device.memory_gb * MB_PER_GIB)
    return {
        "model": {
            "digest": job.file.digest,
            **({"weights": job.file.weights} if job.file.weights else {}),
            "opsets": job.file.opsets,
            "operators": job.file.operators,
        },
        "data": file_entry(job.data),
        "inputs": {
            "origin": f"{queries.origin}{sent}",
            "declared": [spec.as_document() for spec in queries.bound.specs],
        },
        "settings": to_document(job.settings),
        "engine": {
            "engine": f"onnxruntime-web {version} {report.backend}",
            "intra_op_threads": job.settings.scenario.threads if report.backend == "wasm" else 1,
            "adapter": device.adapter or NOT_VISIBLE,
        },
        "libraries": {"onnxruntime-web": version},
        "machine": {
            "cpu": NOT_VISIBLE,
            "cpus_usable": device.processors,
            "memory_mb": memory,
            "os": device.platform,
            "browser": device.browser,
            "is_mobile": device.is_mobile,
        },
        "isolation": ISOLATION,
    }


def _conditions(report: Report) -> dict[str, Any]:
    return {
        "battery": to_document(report.battery),
        "pressure": report.pressure,
        "clock_resolution_ms": report.resolution_ms,
        "is_cross_origin_isolated": report.device.is_isolated,
        "queries_per_sample": report.block,
        "download_ms": report.download_ms,
        "runtime_start_ms": report.runtime_ms,
    }


def _device_reasons(report: Report, run: LatencyRun, agreement: Agreement) -> Iterator[ValidityReason]:
    if not agreement.is_within:
        text = (
            f"{agreement.disagreeing} of {agreement.values} compared values of the answers differ from those of ONNX "
            f"Runtime here by more than {agreement.tolerance:g} of the largest value."
        )
        yield ValidityReason("agreement.answers", Status.INVALID, text)
    if report.block > 1:
        text = (
            f"The clock of the browser has steps of {report.resolution_ms:.3g} ms, so each sample is the mean of "
            f"{report.block} queries, and the percentiles are those of such means."
        )
        yield ValidityReason("clock.blocks", Status.INDICATIVE, text)
    elif float(np.median(run.latencies_ns)) < STEPS_PER_BLOCK * report.resolution_ms * metrics.NS_PER_MS:
        text = (
            f"The clock of the browser has steps of {report.resolution_ms:.3g} ms, more than a "
            f"{STEPS_PER_BLOCK}th of a query."
        )
        yield ValidityReason("clock.coarse", Status.INDICATIVE, text)
    if report.pressure in ("serious", "critical"):
        text = f"The device reported {report.pressure} pressure on its processors during the run."
        yield ValidityReason("device.pressure", Status.INDICATIVE, text)
    slowdown = _slowdown(run)
    if slowdown > MAX_MOVEMENT:
        text = (
            f"The last third of the run was {slowdown:.0%} slower than the first (medians): the device may have "
            "lowered its clock. Measure for longer (--duration) to see where it settles."
        )
        yield ValidityReason("device.throttling", Status.INDICATIVE, text)


def _slowdown(run: LatencyRun) -> float:
    """Return by how much the median of the last third is above that of the first, as a share; 0 with few samples."""
    third = len(run.latencies_ns) // 3
    if third < 10:
        return 0.0
    return float(np.median(run.latencies_ns[-third:]) / np.median(run.latencies_ns[:third])) - 1


def _notes(report: Report) -> Iterator[tuple[str, str]]:
    yield "device.unattested", UNATTESTED
    battery = report.battery
    if battery is None:
        yield "device.battery", "The browser does not tell the state of the battery, nor whether it saves power."
    elif not battery.is_charging:
        text = f"The device ran on its battery: {battery.first:.0%} at the start, {battery.last:.0%} at the end."
        yield "device.battery", text
    if not report.device.is_isolated:
        text = (
            "The page was not isolated, because the address is neither https nor on this machine: the clock is coarse, "
            "and neither threads nor WebGPU are available."
        )
        yield "device.not_isolated", text
