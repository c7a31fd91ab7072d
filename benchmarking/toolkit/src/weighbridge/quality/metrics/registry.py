"""The registry of quality metrics: their interface, and lookup by name.

A metric is a function of checked rows in a module of this package, registered with its task, unit and better direction:

    @register("mae", task=Task.NUMBERS, unit="1", is_higher_better=False)
    def mae(rows: Rows) -> Prepared: ...

A metric with a parameter is registered as `ndcg@k` with a default, and written `ndcg` or `ndcg@10`.
"""

import dataclasses
import importlib
import math
import pkgutil
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TypeVar

from weighbridge.core.errors import Invalid
from weighbridge.quality import metrics
from weighbridge.quality.metrics.prepared import Prepared
from weighbridge.quality.predictions.rows import Rows

# Bounds of shares, of errors, and of differences.
SHARE_BOUNDS, ERROR_BOUNDS, NO_BOUNDS = (0.0, 1.0), (0.0, math.inf), (-math.inf, math.inf)


class Task(StrEnum):
    """What is predicted; each has its own columns."""

    CLASSES = "classification"
    LABELS = "multi-label classification"
    NUMBERS = "regression"
    RANKING = "ranking"
    DETECTION = "detection"
    SEGMENTATION = "segmentation"
    TEXT = "text"
    UPLIFT = "uplift"
    ANY = "any"


class Undefined(Exception):  # noqa: N818 -- an answer, not a malfunction
    """The metric has no value for these rows; the text says why."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric with its parameter, and the bounds of its values."""

    name: str
    task: Task
    prepare: Callable[[Rows], Prepared]
    unit: str = "ratio"
    is_higher_better: bool = True
    bounds: tuple[float, float] = SHARE_BOUNDS


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Registered:
    task: Task
    prepare: Callable[..., Prepared]
    unit: str
    is_higher_better: bool
    bounds: tuple[float, float]
    parameter: float | None
    domain: str


_REGISTERED: dict[str, _Registered] = {}
AnyMetric = TypeVar("AnyMetric", bound=Callable[..., Prepared])
WHOLE, LABEL, SHARE = "a whole number above 0", "the number of a class", "a number between 0 and 1"


def register(
    name: str,
    *,
    task: Task,
    unit: str = "ratio",
    is_higher_better: bool = True,
    bounds: tuple[float, float] = SHARE_BOUNDS,
    parameter: float | None = None,
    domain: str = WHOLE,
) -> Callable[[AnyMetric], AnyMetric]:
    """Return a decorator that registers a function of rows, and of its parameter if there is a default for it."""

    def add(prepare: AnyMetric) -> AnyMetric:
        _REGISTERED[name] = _Registered(
            task=task,
            prepare=prepare,
            unit=unit,
            is_higher_better=is_higher_better,
            bounds=bounds,
            parameter=parameter,
            domain=domain,
        )
        return prepare

    return add


def registered_tasks() -> dict[str, Task]:
    """Return the tasks of all metrics by the names that they are registered with."""
    for info in pkgutil.iter_modules(metrics.__path__, f"{metrics.__name__}."):
        importlib.import_module(info.name)
    return {name: entry.task for name, entry in _REGISTERED.items()}


def find_metric(name: str) -> Metric:
    """Return the metric of a name like `mae` or `ndcg@10`; raise Invalid if there is none."""
    known = registered_tasks()
    base, sign, text = name.partition("@")
    key = base if not sign and base in known else f"{base}@k"
    if key not in known:
        listed = ", ".join(sorted(known))
        raise Invalid(f"There is no metric {name!r}; use package.module:function or one of {listed}.", field="metric")
    entry = _REGISTERED[key]
    parameter = _parameter(base, text, entry.domain) if sign else entry.parameter

    def prepare(rows: Rows) -> Prepared:
        return entry.prepare(rows) if parameter is None else entry.prepare(rows, parameter)

    return Metric(
        name=base if parameter is None else f"{base}@{parameter:g}",
        task=entry.task,
        prepare=prepare,
        unit=entry.unit,
        is_higher_better=entry.is_higher_better,
        bounds=entry.bounds,
    )


def registered(names: Sequence[str]) -> tuple[str, ...]:
    """Return full names of metrics of the registry; raise Invalid for others, and for functions of a user."""
    own = [name for name in names if ":" in name]
    if own:
        text = (
            f"{own[0]} is a function of your own, which is not run beside a model. Save the answers of the model and "
            "use `weighbridge score --metric`."
        )
        raise Invalid(text, field="metric")
    return tuple(find_metric(name).name for name in names)


def task_of(chosen: Sequence[Metric]) -> Task | None:
    """Return the task of metrics, None if they fit any; raise Invalid if they are of different tasks."""
    tasks = {metric.task: metric.name for metric in chosen if metric.task is not Task.ANY}
    if len(tasks) > 1:
        words = ", ".join(f"{name} is of {task}" for task, name in tasks.items())
        raise Invalid(f"All metrics must be of one task, but {words}; score them one after the other.", field="metric")
    return next(iter(tasks), None)


def _parameter(base: str, text: str, domain: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    is_whole = math.isfinite(number) and number == int(number)
    sound = {WHOLE: is_whole and number >= 1, LABEL: is_whole and number >= 0, SHARE: 0 < number < 1}
    if not sound[domain]:
        raise Invalid(f"The parameter of {base} must be {domain}, not {text!r}.", field="metric")
    return number
