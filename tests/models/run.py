"""`python -m tests.models.run`: measures every model of the catalog with every command, and writes the results.

A cell is `works`, `refused` with the sentence of the refusal, or `not applicable` with the reason. Quality is checked
against a truth that is known: the model's own answers, of which every tenth was changed.
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.company.device import LONGEST_S, RUNTIME, find_browser, opened
from tests.models.packages import catalog, unpacked
from weighbridge import Watcher, compare, measure_on_devices, optimize, profile
from weighbridge.core.errors import Refused
from weighbridge.measure.inputs.columns import Column
from weighbridge.measure.inputs.data_set import DataSet, write_data_set
from weighbridge.measure.inputs.queries import Queries, prepare_queries
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

RESULTS = Path(__file__).parents[2] / "docs" / "reference" / "models.json"
ROWS, SAMPLES, SHIFT = 130, 140, 3.0
NOT_SCORED = "Its answers are decoded outside of the model; score them with `weighbridge score`."
NOT_ONNX = {"answer": "not applicable", "reason": "Only for ONNX files; export the network."}
Cell = dict[str, str]


def cells_of(model: Mapping[str, Any], folder: Path) -> dict[str, Cell]:
    """Return the cell of each command for one model."""
    file = file_of(model, folder)
    with tempfile.TemporaryDirectory() as scratch:
        if "network" in model or file.suffix != ".onnx":
            return _cells_of_torch(model, file)
        return _cells_of_onnx(model, file, Path(scratch))


def file_of(model: Mapping[str, Any], folder: Path) -> Path:
    """Return the file of a model, after its package was unpacked."""
    return (unpacked(model["package"], folder) / model["file"]).resolve()


def _stated(model: Mapping[str, Any]) -> dict[str, Any]:
    return {name: model.get(name, {}) for name in ("dims", "inputs", "state")}


def _cells_of_torch(model: Mapping[str, Any], file: Path) -> dict[str, Cell]:
    from weighbridge.cli.target_options import inputs_of_shapes

    if "network" in model:
        os.environ["WEIGHBRIDGE_MINILM"] = str(file)
        names = ("input_ids", "attention_mask")
        inputs = [{"name": name, "dtype": "int64", "shape": ["n", "seq"]} for name in names]
        how: dict[str, Any] = {
            "system": "torch",
            "options": {"factory": "tests.models.networks:minilm", "inputs": inputs},
        }
    else:
        how = {"model": file, "options": {"inputs": inputs_of_shapes(model["shapes"])}}
    scored = {"answer": "not applicable", "reason": NOT_SCORED}
    return {
        "profile": _cell(lambda: _check_times(profile(**how, **_stated(model), samples=SAMPLES, operators=False))),
        "quality": scored,
        "optimize": dict(NOT_ONNX),
        "compare": dict(NOT_ONNX),
    }


def _cells_of_onnx(model: Mapping[str, Any], file: Path, scratch: Path) -> dict[str, Cell]:
    copy = Path(shutil.copy(file, scratch / "copy.onnx"))
    stated, data = _stated(model), scratch / "rows.npz"
    wanted = {"output": model.get("output", ""), "scores": model.get("scores", "auto")}
    cells = {"profile": _cell(lambda: _check_times(profile(file, **stated, samples=SAMPLES, operators=False)))}
    if model["task"] == "other":
        cells["quality"] = {"answer": "not applicable", "reason": NOT_SCORED}
        cells["optimize"] = {"answer": "not applicable", "reason": NOT_SCORED}
        cells["compare"] = _cell(lambda: _check_compared(compare([file, copy], **stated, rounds=8, block_ms=20)))
        return cells
    rows = write_rows(model, file, data)
    stated["inputs"] = {name: value for name, value in stated["inputs"].items() if ":" not in value}
    cells["quality"] = _cell(
        lambda: _check_quality(
            model, rows, profile(file, data=data, **stated, **wanted, samples=SAMPLES, operators=False)
        )
    )
    cells["optimize"] = _cell(
        lambda: _check_variants(
            optimize(
                file,
                data=data,
                calibrate=20,
                samples=SAMPLES,
                only=["int8-dynamic"],
                out=scratch / "out",
                **stated,
                **wanted,
            )
        )
    )
    cells["compare"] = _cell(
        lambda: _check_compared(compare([file, copy], data=data, **stated, **wanted, rounds=8, block_ms=20))
    )
    return cells


def device_cell(model: Mapping[str, Any], file: Path) -> Cell:
    """Return the cell of a headless browser: its answers must agree with those of ONNX Runtime here."""
    if "network" in model or file.suffix != ".onnx":
        return dict(NOT_ONNX)
    browser = find_browser()
    if browser is None:
        return {"answer": "not run", "reason": "There was no browser."}
    refusals: list[str] = []
    with opened(browser) as open_page:

        def check() -> None:
            (result,) = measure_on_devices(
                file,
                **_stated(model),
                samples=30,
                duration=1.0,
                wall=LONGEST_S,
                runtime=RUNTIME,
                on_ready=lambda page: open_page(f"{page.link}#start"),
                on_refusal=refusals.append,
                watcher=Watcher(should_stop=lambda: bool(refusals)),
            )
            assert "latency_p50_ms" in result["metrics"], result["missing"]
            if not result["agreement"]["is_within"]:
                reasons = {reason["code"]: reason["message"] for reason in result["verdict"]["reasons"]}
                raise Refused(reasons["agreement.answers"])

        cell = _cell(check)
    return {"answer": "refused", "reason": refusals[0]} if refusals else cell


def write_rows(model: Mapping[str, Any], file: Path, data: Path) -> int:
    """Write drawn rows with their known truth: the model's own answers, of which every tenth is changed."""
    runner = OnnxRuntimeRunner(file, threads=1)
    settings = InputSettings(dims=model.get("dims", {}), values=model.get("inputs", {}), state=model.get("state", {}))
    drawn = [prepare_queries(runner.inputs, None, seed=seed, settings=settings) for seed in range(ROWS // 64 + 1)]
    feeds = [feed for queries in drawn for feed in queries.feeds][:ROWS]
    place = runner.outputs.index(model["output"]) if model.get("output") else 0
    states = drawn[0].bound.states(1)
    answers = [np.asarray(runner.infer({**feed, **states})[place]) for feed in feeds]
    write_data_set(DataSet(_columns(feeds, drawn[0]), _truth(model["task"], answers)), data)
    return len(feeds)


def _columns(feeds: list[Any], queries: Queries) -> dict[str, Column]:
    """Return the drawn inputs; constant ones are stated again instead."""
    values = queries.bound.settings.values
    names = [name for name in feeds[0] if name not in values or ":" in values[name]]
    return {name: np.concatenate([feed[name] for feed in feeds]) for name in names}


def _truth(task: str, answers: list[NDArray[Any]]) -> NDArray[Any]:
    is_changed = np.arange(len(answers)) % 10 == 0
    if task == "numbers":
        return np.array([float(answer.ravel()[0]) for answer in answers]) + SHIFT
    if task == "probability":
        classes = np.array([int(answer.ravel()[0] >= 0.5) for answer in answers])
        return np.where(is_changed, 1 - classes, classes)
    classes = np.array([int(answer.ravel().argmax()) for answer in answers])
    return np.where(is_changed, (classes + 1) % answers[0].size, classes)


def _cell(check: Callable[[], None]) -> Cell:
    try:
        check()
    except Refused as refused:
        return {"answer": "refused", "reason": refused.reason}
    return {"answer": "works"}


def _check_times(result: Any) -> None:
    assert "latency_p50_ms" in result["metrics"], result["missing"]


def _check_quality(model: Mapping[str, Any], rows: int, result: Any) -> None:
    if model["task"] == "numbers":
        assert abs(result["metrics"]["mae"]["value"] - SHIFT) < 1e-3, result["metrics"]["mae"]
        return
    right = rows - len(range(0, rows, 10))
    found = result["metrics"].get("accuracy")
    assert found is not None, result["missing"]
    assert abs(found["value"] - right / rows) < 1e-9, (found, right / rows)


def _check_variants(result: Any) -> None:
    assert len(result["candidates"]) == 2, result["candidates"]


def _check_compared(result: Any) -> None:
    assert not any(each["failures"] or each["not_scored"] for each in result["candidates"]), result["candidates"]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("var/models"), help="Where packages are unpacked.")
    parser.add_argument(
        "--only", default="", help="Part of the names of the models to measure; others keep their results."
    )
    parser.add_argument("--device", action="store_true", help="Measure in a browser alone; other cells are kept.")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    known = {model["name"]: model for model in json.loads(RESULTS.read_text())} if RESULTS.exists() else {}
    for model in catalog()["models"]:
        if chosen.only.lower() in model["name"].lower():
            cells = dict(known[model["name"]]["cells"]) if chosen.device else cells_of(model, chosen.folder)
            cells["device"] = device_cell(model, file_of(model, chosen.folder))
            known[model["name"]] = {**{key: model[key] for key in ("name", "kind", "package")}, "cells": cells}
            print(
                f"{model['name']}: " + ", ".join(f"{name} {cell['answer']}" for name, cell in cells.items()), flush=True
            )
            for name, cell in cells.items():
                if cell["answer"] == "refused":
                    print(f"  {name}: {cell['reason']}", flush=True)
    found = [known[model["name"]] for model in catalog()["models"] if model["name"] in known]
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
