"""Promise 1: what was accepted is done, once, whoever is killed; on every broker and database that answers here.

The trials run in a process of their own on an installation of their own: see `harness`. Most of what is killed is
forked from that process, a Celery worker included; one worker of each installation is an interpreter of its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.promises import harness_faults, harness_places, harness_report

LONG = os.environ.get("WEIGHBRIDGE_PROMISES") == "long"
KILLS, AWAY_S = (1000, 30.0) if LONG else (200, 4.0)
PLACES = harness_places.pairs()
KILLS_HERE = -(-KILLS // len(PLACES))
SINGLE = ("stop", "sleeper", "poison", "outage")
WHERE = {trial: PLACES[0 if LONG else n % len(PLACES)] for n, trial in enumerate(SINGLE)}
"""Each of these is tried in one place; in the short form no place has them all, because the places run at once."""
NAMED = [
    *("web: before the commit", "web: before publish", "web: after publish"),
    *("ticket: before the POST", "ticket: after the remote commit", "ticket: after the POST"),
    *("ticket: before the local commit", "ticket: after the local commit"),
    *("run: after the claim", "run: at its end", "run: before the local commit", "run: before publish"),
]
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
                    [sys.executable, *ordered(other)],
                    cwd=harness_places.ROOT,
                    text=True,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
        if place not in figures:
            said, complaints = running[place].communicate(timeout=6000 if LONG else 900)
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
    """What is tried in a place: a storm, and what belongs there besides."""
    trials = [trial for trial in SINGLE if WHERE[trial] == place or (LONG and trial == "outage")]
    trials.append("storm")
    named = ["--broker", place[0], "--database", place[1], "--kills", str(KILLS_HERE), "--seconds", str(AWAY_S)]
    return ["-m", "tests.promises.harness", *trials, *named]


def test_every_named_point_is_a_function_of_the_product() -> None:
    points = {point: place for by_role in harness_faults.POINTS.values() for point, place in by_role.items()}
    assert set(points) == set(NAMED)
    assert [point for point, (owner, name, _) in points.items() if not callable(getattr(owner, name, None))] == []


@pytest.mark.nightly
@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_a_storm_of_deaths_loses_nothing_and_doubles_nothing(place: Place, seen: Seen) -> None:
    storm = seen(place, "storm")
    named = sum(storm["kills_at_named_points"].values())
    assert storm["kills"] >= KILLS_HERE
    assert named >= storm["kills"] / 3
    assert storm["kills"] - named >= storm["kills"] / 6  # at random
    assert min(storm["killed"][role] for role in ("web", "effects", "fresh", "bench", "tick")) >= 1
    assert storm["requests"] >= 10
    assert storm["requests"] == storm["tickets_of_them"]
    assert (storm["lost"], storm["doubled"], storm["at_once"], storm["server_errors"]) == (0, 0, 0, 0)


@pytest.mark.nightly
def test_as_many_died_as_is_promised_and_everywhere_they_can(seen: Seen) -> None:
    storms = [seen(place, "storm") for place in PLACES]
    assert sum(storm["kills"] for storm in storms) >= KILLS
    assert {point for storm in storms for point in storm["kills_at_named_points"]} == set(NAMED)


@pytest.mark.nightly
@pytest.mark.parametrize("place", PLACES if LONG else [WHERE["outage"]], ids="-".join)
def test_a_broker_that_is_away_is_no_error_and_loses_nothing(place: Place, seen: Seen) -> None:
    outage = seen(place, "outage")
    assert outage["accepted_meanwhile"] >= 5
    assert not outage["told_early"]
    assert outage["told_after_s"] < 30  # the shortest outage that people must be told of
    assert (outage["lost"], outage["doubled"], outage["at_once"], outage["server_errors"]) == (0, 0, 0, 0)


@pytest.mark.nightly
def test_a_worker_that_wakes_after_its_lease_writes_nothing(seen: Seen) -> None:
    sleeper = seen(WHERE["sleeper"], "sleeper")
    assert sleeper["attempts"] == 2
    assert (sleeper["written_by_the_sleeper"], sleeper["events_of_the_sleeper"]) == (0, 0)


@pytest.mark.nightly
def test_a_job_that_kills_its_worker_is_dead_after_three(seen: Seen) -> None:
    poison = seen(WHERE["poison"], "poison")
    assert (poison["state"], poison["attempts"], poison["workers_killed"]) == ("dead", 3, 3)
    assert poison["others_done"] == 10
    assert "3 times" in poison["error"]


@pytest.mark.nightly
def test_a_stop_hands_the_measurement_back_within_five_seconds(seen: Seen) -> None:
    stop = seen(WHERE["stop"], "stop")
    assert stop["handed_back_s"] < 5
    assert (stop["exit_code"], stop["attempts_used"]) == (0, 0)


def test_the_page_prints_the_figures_that_were_measured() -> None:
    assert harness_report.PAGE.read_text(encoding="utf-8") == harness_report.page()
