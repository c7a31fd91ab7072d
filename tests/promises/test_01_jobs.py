"""Promise 1: what was accepted is done, once, whoever is killed; on every broker and database that answers here.

The trials run in a process of their own on an installation of their own: see `harness`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.promises import harness_places, harness_report

LONG = os.environ.get("WEIGHBRIDGE_PROMISES") == "long"
KILLS, AWAY_S = (340, 30.0) if LONG else (16, 4.0)
PLACES = harness_places.pairs()
HERE = PLACES[0]
Place = tuple[str, str]
Seen = Callable[[Place, str], dict[str, Any]]


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    """The figures of a trial in a place. In the short form all places are tried at once, because trials mostly wait."""
    running: dict[Place, subprocess.Popen[str]] = {}
    figures: dict[Place, dict[str, dict[str, Any]]] = {}

    def of(place: Place, trial: str) -> dict[str, Any]:
        for other in [place] if LONG else PLACES:
            if other not in running:
                running[other] = subprocess.Popen(
                    [sys.executable, *ordered(other)], cwd=harness_places.ROOT, text=True,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                )  # fmt: skip
        if place not in figures:
            said, complaints = running[place].communicate(timeout=3000 if LONG else 400)
            assert running[place].returncode == 0, complaints[-8000:]
            heard = json.loads(said.splitlines()[-1])
            figures[place] = {figure["trial"]: figure for figure in heard}
            if LONG:
                harness_report.keep(heard, command=f"python {' '.join(ordered(place))}")
        return figures[place][trial]

    yield of
    for process in running.values():
        process.terminate()
        process.communicate()


def ordered(place: Place) -> list[str]:
    """What is tried in a place; the first of them has every trial."""
    trials = ["stop", "sleeper", "poison", "outage", "storm"] if place == HERE else ["storm", *["outage"] * LONG]
    named = ["--broker", place[0], "--database", place[1], "--kills", str(KILLS), "--seconds", str(AWAY_S)]
    return ["-m", "tests.promises.harness", *trials, *named]


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_a_storm_of_deaths_loses_nothing_and_doubles_nothing(place: Place, seen: Seen) -> None:
    storm = seen(place, "storm")
    assert storm["kills"] >= KILLS
    assert sum(storm["kills_at_named_points"].values()) >= KILLS / 3
    assert storm["requests"] >= 3
    assert storm["requests"] == storm["tickets_of_them"]
    assert (storm["lost"], storm["doubled"], storm["at_once"], storm["server_errors"]) == (0, 0, 0, 0)


@pytest.mark.parametrize("place", PLACES if LONG else [HERE], ids="-".join)
def test_a_broker_that_is_away_is_no_error_and_loses_nothing(place: Place, seen: Seen) -> None:
    outage = seen(place, "outage")
    assert outage["accepted_meanwhile"] >= 5
    assert (outage["lost"], outage["doubled"], outage["at_once"], outage["server_errors"]) == (0, 0, 0, 0)


def test_a_worker_that_wakes_after_its_lease_writes_nothing(seen: Seen) -> None:
    sleeper = seen(HERE, "sleeper")
    assert sleeper["attempts"] == 2
    assert (sleeper["written_by_the_sleeper"], sleeper["events_of_the_sleeper"]) == (0, 0)


def test_a_job_that_kills_its_worker_is_dead_after_three(seen: Seen) -> None:
    poison = seen(HERE, "poison")
    assert (poison["state"], poison["attempts"], poison["workers_killed"]) == ("dead", 3, 3)
    assert poison["others_done"] == 10
    assert "3 times" in poison["error"]


def test_a_stop_hands_the_measurement_back_within_five_seconds(seen: Seen) -> None:
    stop = seen(HERE, "stop")
    assert stop["handed_back_s"] < 5
    assert (stop["exit_code"], stop["attempts_used"]) == (0, 0)


def test_the_page_prints_the_figures_that_were_measured() -> None:
    assert harness_report.PAGE.read_text(encoding="utf-8") == harness_report.page()
