"""Bodies of a load test that are filled from the rows of a data set, so that the load varies as the data does."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import numpy as np

from weighbridge.api.data import Data, data_file
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import MEASUREMENT
from weighbridge.load.messages import BODIES_MAX, BODY_BYTES_MAX, write_bodies
from weighbridge.load.plan import FILLED, BodyRows, LoadPlan
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.measure.inputs.binding import bind
from weighbridge.measure.inputs.data_set import DataSet, read_data_set
from weighbridge.measure.inputs.settings import AS_DECLARED
from weighbridge.measure.inputs.sources.prepare import source_entry
from weighbridge.systems.external.rows import PLACEHOLDER, filled, specs_of

MANY_BODIES = (".jsonl", ".npz")


def with_rows(plan: LoadPlan, data: Data | None, folder: Path) -> LoadPlan:
    """Return the plan with the body filled from each row in a random order of its seed; unchanged without `data`.

    The bodies are written to `folder`: as many as a test may have. Raises Invalid for a template that does not fit the
    data or fills to no JSON, and what reading the data raises.
    """
    if data is None:
        return plan
    if not plan.body or Path(plan.body).suffix in MANY_BODIES:
        text = "--data fills a template; give it with --body, as a file in which {{ name }} stands for each column."
        raise Invalid(text, field="data")
    template, file = Path(plan.body), cast("Path", data_file(data, model=None, folder=folder))
    rows = read_data_set(file)
    source = source_entry(file if isinstance(data, Mapping) else Path(data))
    bodies = list(_bodies(template, rows, seed=plan.seed))
    if not bodies:
        text = f"The template {template.name} filled from the first row has more than {BODY_BYTES_MAX:,} bytes."
        raise Invalid(text, field="body")
    write_bodies(folder / (template.name + FILLED), bodies)
    described = BodyRows(
        template_digest=digest_of_file(template),
        data=source.get("file") or source["folder"],
        data_digest=source["digest"],
        rows=len(rows),
        used=len(bodies),
    )
    return dataclasses.replace(plan, body=str(folder / (template.name + FILLED)), rows=described)


def has_placeholders(body: str) -> bool:
    """Whether a file of one body has `{{ name }}`, which is sent as it is without data."""
    path = Path(body)
    if not path.is_file() or path.suffix in (*MANY_BODIES, FILLED):
        return False
    return PLACEHOLDER.search(path.read_bytes().decode(errors="replace")) is not None


def _bodies(template: Path, data: DataSet, *, seed: int) -> Iterator[bytes]:
    text, size = _text_of(template, data), 0
    rng, bound = np.random.default_rng(seed), bind(specs_of(data), data, AS_DECLARED)
    for row in rng.permutation(len(data))[:BODIES_MAX].tolist():
        body = filled(text, bound.feed(row, row + 1, rng)).encode()
        size += len(body)
        if size > BODY_BYTES_MAX:
            return
        if template.suffix == ".json":
            name = f"The template {template.name}, filled from row {row + 1},"
            parse_json(body, name=name, field="body", limits=MEASUREMENT)
        yield body


def _text_of(template: Path, data: DataSet) -> str:
    try:
        text = template.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"The template {template} cannot be read as text.", field="body") from error
    if not PLACEHOLDER.search(text):
        columns = ", ".join(data.columns)
        reason = f"The template {template.name} has no {{{{ name }}}} for a column of the data, which has {columns}."
        raise Invalid(reason, code="template_name", field="body")
    return text
