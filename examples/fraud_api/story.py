"""Run the case: train, measure, load-test, project costs, decide, write. Finished steps are stored; a rerun resumes."""

import dataclasses
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from examples.fraud_api import load_tests, training
from examples.fraud_api.costing import OPTIONS, spec_of
from examples.fraud_api.decision import choose_option
from examples.fraud_api.report import sheet_of
from examples.fraud_api.settings import FraudSettings
from examples.steps import Clock, Say, cached, nth_part, part, writing_to
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.tradeoff.sheets.printing import print_pdf
from weighbridge.tradeoff.sheets.publishing import Print, publish

PAGE, SPEC, COSTS, MATRIX = "justification", "cost-spec.json", "projection.json", "decision.json"
# Progress (0 to 1) after training, after the learning curve, and after the load tests.
TRAINED, LEARNED, LOAD_TESTED = 0.4, 0.7, 0.9


@dataclasses.dataclass(frozen=True)
class FraudOutcome:
    """The outcome: the headline, the winner (None if no option passes), the folder, and why there is no PDF."""

    headline: str
    winner: str | None
    folder: Path
    without_pdf: str | None


def run_case(
    folder: Path, *, settings: FraudSettings, say: Say, now: Clock, print_page: Print = print_pdf
) -> FraudOutcome:
    """Run the whole case in `folder`. A rerun resumes an interrupted run.

    Raises Invalid if the folder is not writable or a server does not start. Exceptions of `say` are passed on.
    """
    steps = folder / "steps"
    with writing_to(steps):
        bodies = load_tests.write_bodies(steps / "requests.jsonl", seed=settings.seed + 4)
    records = {
        option: training.train_option(option, steps, settings, nth_part(part(say, 0.0, TRAINED), index, 2))
        for index, option in enumerate(("b", "c"))
    }
    curve = training.learning_curve(steps, settings, part(say, TRAINED, LEARNED))
    tests = _load_test(steps, bodies, settings, records, part(say, LEARNED, LOAD_TESTED), now)
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
    folder: Path, bodies: Path, settings: FraudSettings, records: Mapping[str, Any], say: Say, now: Clock
) -> dict[str, dict[str, Any]]:
    """Load-test the stand-in of A, and B and C behind a local server. Results are stored in `load-<option>.json`."""
    tests = {}
    for index, option in enumerate(OPTIONS):
        server = ("stand-in", json.dumps(dataclasses.asdict(settings.stand_in)))
        if option in records:
            server = ("model", str(folder / f"{option}.onnx"))
        decides = {
            "rate": str(settings.rate_per_s),
            "seconds": str(settings.seconds),
            "seed": settings.seed,
            "server": server[0],
            "given": records[option]["digest"] if option in records else server[1],
        }
        rising = _rising(nth_part(say, index, len(OPTIONS)), f"load test of {OPTIONS[option]}")
        fire = functools.partial(load_tests.run_load_test, server, bodies, settings, rising, now)
        make = functools.partial(load_tests.repeat_until_conclusive, fire)
        tests[option] = cached(folder / f"load-{option}.json", decides, make)
    return tests


def _rising(say: Say, doing: str) -> Say:
    """A progress callback that never decreases, even if a load test is repeated, and always says `doing`."""
    reached = 0.0

    def rising(share: float, _doing: str) -> None:
        nonlocal reached
        reached = max(reached, share)
        say(reached, doing)

    return rising
