"""The quality phase of a profile: every row of the data set is answered and compared with its truth."""

from collections.abc import Callable

from weighbridge.measure.inputs.queries import Queries
from weighbridge.measure.quality.answering import Answering
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.quality.checks import DataDoubt, answer_doubts, data_doubts
from weighbridge.quality.scores import Quality, check_task, measure_quality
from weighbridge.systems.registry import LoadedSystem


def answering_of(runner: LoadedSystem, queries: Queries, settings: ProfileSettings) -> Answering | None:
    """Return how the rows are answered, None if their answers are not scored; raise Invalid for an unclear output."""
    if queries.data is None or queries.data.y is None or not settings.measures_quality:
        return None
    check_task(queries.data.y, settings.metrics)
    return Answering.of(runner, queries.bound, queries.data, settings.answers)


def measure_answers(
    answering: Answering, settings: ProfileSettings, on_tick: Callable[[float], None]
) -> tuple[Quality, tuple[DataDoubt, ...]]:
    """Score the rows, and check them; the doubts say what the score is worth.

    Raises ModelFailed if the model fails, Invalid if its answers have no form that can be scored.
    """
    data = answering.data
    quality = measure_quality(
        answering.answer,
        data.truth,
        batch=answering.batch,
        score=settings.score,
        on_tick=on_tick,
        settings=settings.answers,
        names=settings.metrics,
    )
    rows = data.fingerprints
    return quality, (*data_doubts(rows, data.truth), *answer_doubts(rows, quality.measured.intervals.get("accuracy")))
