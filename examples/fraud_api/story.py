"""The story: train, measure, fire, project, weigh, write; every finished step is kept, and the same call goes on."""

import dataclasses
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from examples.fraud_api import firing, lessons
from examples.fraud_api.costing import OPTIONS, spec_of
from examples.fraud_api.keeping import kept
from examples.fraud_api.report import sheet_of
from examples.fraud_api.settings import FraudSettings
from examples.fraud_api.weighing import weighed
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.shipped import own_book
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.tradeoff.sheets.printing import print_pdf
from weighbridge.tradeoff.sheets.publishing import Print, publish

PAGE, SPEC, COSTS, MATRIX = "justification", "cost-spec.json", "projection.json", "decision.json"
# Where training ends, where the learning curve does, and where firing does, on the way from 0 to 1.
TAUGHT, LEARNED, FIRED = 0.4, 0.7, 0.9
Say = Callable[[float, str], None]


@dataclasses.dataclass(frozen=True)
class FraudOutcome:
    """What came of it: the headline, the winner (None where nobody passes), the folder, and why there is no PDF."""

    headline: str
    winner: str | None
    folder: Path
    without_pdf: str | None


def tell(
    folder: Path, *, settings: FraudSettings, say: Say, now: Callable[[], datetime], print_page: Print = print_pdf
) -> FraudOutcome:
    """Run the whole case in `folder`; the same call goes on where an interrupted one stopped.

    Raises Invalid where nothing can be written or a server does not start; whatever `say` raises passes through.
    """
    kept_in = folder / "steps"
    try:
        kept_in.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"Nothing can be written into {folder}: {error.strerror}.", code="folder", field="out") from error
    taught = {
        option: lessons.taught(option, kept_in, settings, _part(say, index / 2 * TAUGHT, (index + 1) / 2 * TAUGHT))
        for index, option in enumerate(("b", "c"))
    }
    learned = lessons.curve_of(kept_in, settings, _part(say, TAUGHT, LEARNED))
    tests = _fire(kept_in, settings, taught, _part(say, LEARNED, FIRED), now)
    say(FIRED, "projecting three years of costs")
    spec = spec_of(settings, taught, tests)
    projection = project(read_spec(spec, own_book()))
    costs = as_document(projection)
    found = weighed(settings, projection, taught, tests, learned["curve"])
    say(0.95, "drawing and writing")
    for name, document in ((SPEC, spec), (COSTS, costs), (MATRIX, found.decision.as_document())):
        (folder / name).write_text(json.dumps(document, indent=1) + "\n")
    sheet = sheet_of(settings, found, costs, taught, tests, learned)
    missing = publish(sheet, folder, name=PAGE, print_page=print_page)
    say(1.0, "done")
    winner = found.decision.winner
    return FraudOutcome(sheet.headline, winner.name if winner is not None else None, folder, missing)


def _fire(
    folder: Path, settings: FraudSettings, taught: dict[str, dict[str, Any]], say: Say, now: Callable[[], datetime]
) -> dict[str, dict[str, Any]]:
    """Fire at the stand-in of A, and at B and C behind a local server; the results lie in `load-<option>.json`."""
    bodies = firing.write_bodies(folder / "requests.jsonl", seed=settings.seed + 4)
    law = dataclasses.asdict(settings.stand_in)
    servers = {
        "a": ("stand-in", json.dumps(law)),
        **{each: ("model", str(folder / f"{each}.onnx")) for each in ("b", "c")},
    }
    tests = {}
    for index, (option, server) in enumerate(servers.items()):
        part = _rising(_part(say, index / len(servers), (index + 1) / len(servers)))
        decides = {
            "rate": str(settings.rate_per_s),
            "seconds": str(settings.seconds),
            "seed": settings.seed,
            "server": server[0],
            "given": taught[option]["digest"] if option in taught else server[1],
        }

        def fire(server: tuple[str, str] = server, part: Say = part, option: str = option) -> dict[str, Any]:
            def follow(share: float, _doing: str) -> None:
                part(share, f"firing at {OPTIONS[option]}")

            return firing.settled(lambda: firing.fired(server, bodies, settings, follow, now()))

        tests[option] = kept(folder / f"load-{option}.json", decides, fire)
    return tests


def _part(say: Say, start: float, end: float) -> Say:
    """Return a `say` whose 0 to 1 lies between two shares."""
    return lambda share, doing: say(start + share * (end - start), doing)


def _rising(say: Say) -> Say:
    """Return a `say` that never goes back, though a test that told nothing is fired again."""
    reached = 0.0

    def rising(share: float, doing: str) -> None:
        nonlocal reached
        reached = max(reached, share)
        say(reached, doing)

    return rising
