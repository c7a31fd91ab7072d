"""Run the case: train, measure, load-test, project costs, decide, write. Finished steps are stored; a rerun resumes."""

import dataclasses
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from examples.fraud_api import load_tests, training
from examples.fraud_api.costing import OPTIONS, spec_of
from examples.fraud_api.decision import choose_option
from examples.fraud_api.report import sheet_of
from examples.fraud_api.settings import FraudSettings
from examples.fraud_api.step_cache import cached
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.tradeoff.sheets.printing import print_pdf
from weighbridge.tradeoff.sheets.publishing import Print, publish

PAGE, SPEC, COSTS, MATRIX = "justification", "cost-spec.json", "projection.json", "decision.json"
# Progress (0 to 1) after training, after the learning curve, and after the load tests.
TRAINED, LEARNED, LOAD_TESTED = 0.4, 0.7, 0.9
Say = Callable[[float, str], None]


@dataclasses.dataclass(frozen=True)
class FraudOutcome:
    """The outcome: the headline, the winner (None if no option passes), the folder, and why there is no PDF."""

    headline: str
    winner: str | None
    folder: Path
    without_pdf: str | None


def run_case(
    folder: Path, *, settings: FraudSettings, say: Say, now: Callable[[], datetime], print_page: Print = print_pdf
) -> FraudOutcome:
    """Run the whole case in `folder`. A rerun resumes an interrupted run.

    Raises Invalid if the folder is not writable or a server does not start. Exceptions of `say` are passed on.
    """
    steps = folder / "steps"
    try:
        steps.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"The folder {folder} is not writable: {error.strerror}.", code="folder", field="out") from error
    records = {
        option: training.train_option(
            option, steps, settings, _part(say, index / 2 * TRAINED, (index + 1) / 2 * TRAINED)
        )
        for index, option in enumerate(("b", "c"))
    }
    curve = training.learning_curve(steps, settings, _part(say, TRAINED, LEARNED))
    tests = _load_test(steps, settings, records, _part(say, LEARNED, LOAD_TESTED), now)
    say(LOAD_TESTED, "projecting three years of costs")
    spec = spec_of(settings, records, tests)
    projection = project(read_spec(spec, shipped_book()))
    costs = as_document(projection)
    outcome = choose_option(settings, projection, records, tests, curve["curve"])
    say(0.95, "drawing charts and writing files")
    for name, document in ((SPEC, spec), (COSTS, costs), (MATRIX, outcome.decision.as_document())):
        (folder / name).write_text(json.dumps(document, indent=1) + "\n")
    sheet = sheet_of(settings, outcome, costs, records, tests, curve)
    missing = publish(sheet, folder, name=PAGE, print_page=print_page)
    say(1.0, "done")
    winner = outcome.decision.winner
    return FraudOutcome(sheet.headline, winner.name if winner is not None else None, folder, missing)


def _load_test(
    folder: Path, settings: FraudSettings, records: dict[str, dict[str, Any]], say: Say, now: Callable[[], datetime]
) -> dict[str, dict[str, Any]]:
    """Load-test the stand-in of A, and B and C behind a local server. Results are stored in `load-<option>.json`."""
    bodies = load_tests.write_bodies(folder / "requests.jsonl", seed=settings.seed + 4)
    distribution = dataclasses.asdict(settings.stand_in)
    servers = {
        "a": ("stand-in", json.dumps(distribution)),
        **{name: ("model", str(folder / f"{name}.onnx")) for name in ("b", "c")},
    }
    tests = {}
    for index, (option, server) in enumerate(servers.items()):
        part = _never_decreasing(_part(say, index / len(servers), (index + 1) / len(servers)))
        decides = {
            "rate": str(settings.rate_per_s),
            "seconds": str(settings.seconds),
            "seed": settings.seed,
            "server": server[0],
            "given": records[option]["digest"] if option in records else server[1],
        }

        def fire(server: tuple[str, str] = server, part: Say = part, option: str = option) -> dict[str, Any]:
            def follow(share: float, _doing: str) -> None:
                part(share, f"load test of {OPTIONS[option]}")

            return load_tests.repeat_until_conclusive(
                lambda: load_tests.run_load_test(server, bodies, settings, follow, now())
            )

        tests[option] = cached(folder / f"load-{option}.json", decides, fire)
    return tests


def _part(say: Say, start: float, end: float) -> Say:
    """A progress callback that maps 0 to 1 to the range between two shares."""
    return lambda share, doing: say(start + share * (end - start), doing)


def _never_decreasing(say: Say) -> Say:
    """A progress callback that never decreases, even if a load test is repeated."""
    reached = 0.0

    def rising(share: float, doing: str) -> None:
        nonlocal reached
        reached = max(reached, share)
        say(reached, doing)

    return rising
