"""The job of a device: the queries of a model, as `profile` makes them, in the form that a page reads.

The values of all queries are one block of bytes, little-endian; texts are in the description.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.external_weights import name_of_weights, weight_files
from weighbridge.measure.conditions.model_file import ModelFile, read_model
from weighbridge.measure.inputs.data_set import read_data_set
from weighbridge.measure.inputs.declared import declared_inputs
from weighbridge.measure.inputs.queries import Queries, prepare_queries, words_without_sizes
from weighbridge.measure.inputs.spec import TEXT, InputSpec
from weighbridge.measure.loops.latency import Feed, query_order
from weighbridge.measure.scenarios import ProfileSettings, Scenario

# A phone holds the model, the queries and the runtime in memory.
MAX_QUERIES, MAX_BYTES = 1_000, 64_000_000
MAX_SAMPLES = 500_000
# Types that ONNX Runtime takes from a page.
TYPES = frozenset(
    (
        *("float16", "float32", "float64", "bool", TEXT),
        *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    )
)
# The clock of a browser may have steps of 1 ms; a block of queries takes at least this number of steps.
STEPS_PER_BLOCK = 20
MIN_WARM_UP_S = 3.0


@dataclasses.dataclass(frozen=True)
class DeviceJob:
    """A model, the files beside it with its weights, and its queries in the order of the run.

    `order` has the number of each query in `queries`.
    """

    model: Path
    weights: tuple[Path, ...]
    data: Path | None
    file: ModelFile
    queries: Queries
    order: NDArray[np.int64]
    settings: ProfileSettings
    description: Mapping[str, Any]
    values: bytes


def make_job(model: Path, data: Path | None, settings: ProfileSettings, *, name: str) -> DeviceJob:
    """Return the job; raise Invalid for a model or data that cannot be measured, and for a free dimension without size.

    At most 1,000 queries and 64 MB of values are sent; `name` is the name of the model on the page.
    """
    scenario = settings.scenario
    if scenario.min_samples > MAX_SAMPLES:
        raise Invalid(f"A device takes at most {MAX_SAMPLES:,} samples.", field="samples")
    file, specs, weights = read_model(model), declared_inputs(model), weight_files(model)
    _check_types(specs)
    data_set = read_data_set(data) if data is not None else None
    queries = prepare_queries(specs, data_set, seed=scenario.seed, rows=1, settings=settings.inputs)
    _check_sizes(queries)
    order = query_order(len(queries.feeds), seed=scenario.seed)[:MAX_QUERIES]
    packed, values = _pack([queries.feeds[int(row)] for row in order])
    states, zeros = _pack([queries.bound.states(1)], start=len(values))
    description = {
        "name": name,
        "digest": file.digest,
        "bytes": model.stat().st_size + sum(file.stat().st_size for file in weights),
        "weights": [name_of_weights(model, file) for file in weights],
        "queries": packed,
        "states": states[0],
        "state_outputs": dict(settings.inputs.state),
        **_described(scenario),
    }
    return DeviceJob(model, weights, data, file, queries, order[: len(packed)], settings, description, values + zeros)


def _check_types(specs: Sequence[InputSpec]) -> None:
    for spec in specs:
        if spec.dtype not in TYPES:
            text = f"The input {spec.name!r} has the type {spec.dtype}, which no page can make."
            raise Invalid(text, code="model_inputs", field="model")


def _check_sizes(queries: Queries) -> None:
    if queries.unstated:
        raise Invalid(words_without_sizes(queries.unstated), code="inputs_size", field="dim")


def _described(scenario: Scenario) -> dict[str, Any]:
    """Return the settings of a run in the form that a page reads."""
    warm_up = scenario.warmup
    return {
        "samples": scenario.min_samples,
        "samples_max": MAX_SAMPLES,
        "duration_s": scenario.min_duration_s,
        "duration_max_s": scenario.max_duration_s,
        "warm_up": {
            "values": warm_up.values,
            "value_ms": warm_up.value_ms,
            "min_s": MIN_WARM_UP_S,
            "max_s": warm_up.max_duration_s,
        },
        "steps_per_block": STEPS_PER_BLOCK,
        "threads": scenario.threads,
    }


def _pack(feeds: Sequence[Feed], *, start: int = 0) -> tuple[list[dict[str, Any]], bytes]:
    """Describe queries and join their values, as many as fit; raise Invalid if not even the first one does."""
    parts: list[bytes] = []
    described: list[dict[str, Any]] = []
    size = texts = 0
    for feed in feeds:
        entry: dict[str, Any] = {}
        block, text_bytes = b"", 0
        for name, array in feed.items():
            entry[name] = {"type": type_of(array), "dims": list(array.shape)}
            if array.dtype.kind in "OU":
                entry[name]["texts"] = [str(text) for text in array.ravel()]
                text_bytes += sum(4 * len(text) for text in entry[name]["texts"])
                continue
            content = little_endian(array)
            # Views of a page on wider types must begin at a multiple of their width.
            block += b"\0" * (-(start + size + len(block)) % 8)
            entry[name] |= {"at": start + size + len(block), "values": math.prod(array.shape)}
            block += content
        if size + len(block) + texts + text_bytes > MAX_BYTES:
            break
        parts.append(block)
        described.append(entry)
        size, texts = size + len(block), texts + text_bytes
    if not described:
        raise Invalid(f"One query has more than {MAX_BYTES:,} bytes, too many for a page.", field="data")
    return described, b"".join(parts)


def type_of(array: NDArray[Any]) -> str:
    """Return the name of the type of an array, `string` for texts."""
    return TEXT if array.dtype.kind in "OU" else str(array.dtype)


def little_endian(array: NDArray[Any]) -> bytes:
    """Return the values of an array in row order, as pages read them."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
