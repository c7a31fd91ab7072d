"""The trials: a storm of deaths, a broker that is away, a worker that slept, a job that kills, a stop in mid-work."""

import argparse
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.promises.harness_places import Place

from tests.promises.harness_site import ROLES, Site  # isort: skip -- Django is set up there

from django.utils import timezone

from benchmarking.runs.actions import runs
from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.jobs.enums import JobState
from governance.jobs.kinds import kind_of, register
from tests.factories import requests as walks
from tests.promises.harness_crowd import Crowd, seen
from tests.promises.harness_faults import POINTS, die
from weighbridge.systems.sandbox.isolated import run_isolated

KILLS_PER_FRESH = 30  # an interpreter that starts costs as much as ten forks
OPEN_MAX, RUN_ATTEMPTS = 30, 12
ACCEPTED_MIN, OUTAGE_MAX_S = 8, 120.0
SETTLES, PAUSE_S = timedelta(seconds=240), 0.2
REAL_PROFILE = run_isolated


def run(*, place: Place, given: argparse.Namespace) -> list[dict[str, Any]]:
    """The trials one after the other, and how long each took."""
    said = []
    with Site(place) as site:
        for trial in given.trials:
            begun_s = time.monotonic()
            figures = TRIALS[trial](site, given)
            took = {"elapsed_s": round(time.monotonic() - begun_s, 1)}
            said.append({"trial": trial, "broker": given.broker, "database": place.server, **figures, **took})
            site.clear()
    return said


def storm(site: Site, given: argparse.Namespace) -> dict[str, Any]:
    """Kill processes at named points and at random while people submit; then let what is left be done."""
    # Each run may be killed often here; that three deaths end a run is another trial's subject.
    usual = kind_of(Run)
    register(replace(usual, max_attempts=RUN_ATTEMPTS))
    rng, crowd = random.Random(given.seed), Crowd(site)
    for role in ROLES:
        _spawn(site, role, rng, is_doomed=True)
    at_work_s = time.monotonic()
    while not _has_raged(site, given.kills):
        _restart(site, rng, is_doomed=True)
        if not site.of("fresh") and site.killed["fresh"] * KILLS_PER_FRESH < given.kills:
            _spawn(site, "fresh", rng, is_doomed=True)
        if site.open_work() < OPEN_MAX:
            crowd.come()
        crowd.go_on()
        if site.killed.total() <= 2 * len(_noted(site)) and rng.random() < 0.4:
            site.kill(_victim(site, rng))
        time.sleep(0.02)
    stormed_s = time.monotonic() - at_work_s
    _restart(site, rng, is_doomed=False)
    # Those that wait for a point they have not reached must not die any more.
    for pid, role in list(site.children.items()):
        if role != "line":
            site.kill(pid)
    deaths = site.killed.copy()

    def settled() -> bool:
        _restart(site, rng, is_doomed=False)
        crowd.go_on()
        return crowd.is_content() and site.open_work() == 0

    site.wait_for(settled, within=SETTLES, said="what was accepted is done")
    points = Counter(_noted(site))
    register(usual)
    figures = {"kills": deaths.total(), "stormed_s": round(stormed_s, 1), "killed": dict(sorted(deaths.items()))}
    return {**figures, "kills_at_named_points": dict(sorted(points.items())), **seen(site, crowd)}


def _has_raged(site: Site, kills: int) -> bool:
    """Whether enough have died: in all, at random, and of every role."""
    at_random = site.killed.total() - len(_noted(site))
    return site.killed.total() >= kills and at_random * 5 >= site.killed.total() and set(ROLES) <= set(site.killed)


def _victim(site: Site, rng: random.Random) -> int:
    """A process that dies where it happens to be; of a role that nothing has killed yet, where there is one."""
    roles = {pid: role for pid, role in site.children.items() if role not in {"line", "fresh"}}
    return rng.choice([pid for pid, role in roles.items() if not site.killed[role]] or list(roles))


def outage(site: Site, given: argparse.Namespace) -> dict[str, Any]:
    """Take the broker away under load, and give it back; people look at a page before, meanwhile and after."""
    rng, crowd = random.Random(given.seed), Crowd(site)
    for role in ROLES:
        _spawn(site, role, rng, is_doomed=False)
    site.wait_for(lambda: site.call("GET", "/livez"), within=timedelta(seconds=30), said="the web process answers")
    _, told_early_s = _submit(site, crowd, rng, lasts_s=1.0)
    before = len(crowd.accepted)
    site.cut()
    away_s, told_after_s = _submit(site, crowd, rng, lasts_s=given.seconds, until=before + ACCEPTED_MIN)
    accepted = len(crowd.accepted) - before
    site.mend()
    mended_s = time.monotonic()
    site.wait_for(lambda: site.is_told() is False, within=SETTLES, said="nobody is told any more that work is delayed")
    untold_after_s = time.monotonic() - mended_s

    def settled() -> bool:
        _restart(site, rng, is_doomed=False)
        crowd.go_on()
        return crowd.is_content() and site.open_work() == 0

    site.wait_for(settled, within=SETTLES, said="what was accepted during the outage is done")
    figures = {
        "away_s": away_s,
        "accepted_meanwhile": accepted,
        "told_early": told_early_s is not None,
        "told_after_s": told_after_s,
        "untold_after_s": round(untold_after_s, 1),
        "slowest_call_s": round(site.slowest_s, 2),
    }
    return {**figures, **seen(site, crowd)}


def _submit(
    site: Site, crowd: Crowd, rng: random.Random, *, lasts_s: float, until: int = 0
) -> tuple[float, float | None]:
    """Submit for `lasts_s` and until so many are accepted; how long it took, and when a page first told of a delay."""
    begun_s, told_after_s = time.monotonic(), None
    # On a busy machine people take their time, and an outage in which nobody submits shows nothing.
    while (lasted_s := time.monotonic() - begun_s) < lasts_s or (
        lasted_s < OUTAGE_MAX_S and (len(crowd.accepted) < until or (until and told_after_s is None))
    ):
        _restart(site, rng, is_doomed=False)
        crowd.come()
        crowd.go_on()
        if site.is_told() and told_after_s is None:
            told_after_s = round(time.monotonic() - begun_s, 1)
        crowd.go_on()
        time.sleep(PAUSE_S)
    return round(lasted_s, 1), told_after_s


def sleeper(site: Site, given: argparse.Namespace) -> dict[str, Any]:
    """Stop a worker in mid-run, let another do the work, and wake it: it must write nothing."""
    site.profile = lambda **arguments: _sleepy(site, **arguments)
    row = _queue(site, "slept-over")
    first = site.spawn("bench")
    site.spawn("tick")
    site.wait_for(lambda: f"{row.pk} 1 begun" in _beats(site), within=timedelta(seconds=30), said="a first run begins")
    os.killpg(first, signal.SIGSTOP)
    site.profile = site.pretend
    site.spawn("bench")
    done = site.wait_for(
        lambda: Run.objects.filter(pk=row.pk, state=JobState.DONE).values().first(),
        within=timedelta(seconds=40),
        said="another worker does it",
    )
    before = AuditEvent.objects.count()
    os.killpg(first, signal.SIGCONT)
    (site.place.folder / "wake").touch()
    site.wait_for(lambda: f"{row.pk} 1 woke" in _beats(site), within=timedelta(seconds=20), said="the first wakes")
    os.kill(first, signal.SIGTERM)
    site.wait_for(site.reap, within=timedelta(seconds=20), said="the first ends")
    after = Run.objects.filter(pk=row.pk).values().get()
    return {
        "written_by_the_sleeper": sum(after[name] != done[name] for name in done),
        "events_of_the_sleeper": AuditEvent.objects.count() - before,
        "attempts": after["attempts"],
    }


def poison(site: Site, given: argparse.Namespace) -> dict[str, Any]:
    """A job that kills its worker every time, and ten that do not."""
    bad = _queue(site, "poison")
    site.profile = lambda **arguments: _poisonous(site, bad.pk, **arguments)
    good = [_queue(site, f"good-{number}") for number in range(10)]
    rng = random.Random(given.seed)
    for role in (
        "bench",
        "effects",
        "tick",
    ):  # the tick has effects of its own, such as the daily look at authorizations
        _spawn(site, role, rng, is_doomed=False)

    def settled() -> bool:
        _restart(site, rng, is_doomed=False)
        return site.open_work() == 0

    site.wait_for(settled, within=SETTLES, said="the queue moves on")
    bad.refresh_from_db()
    states = Counter(Run.objects.filter(pk__in=[row.pk for row in good]).values_list("state", flat=True))
    return {
        "state": bad.state,
        "attempts": bad.attempts,
        "workers_killed": site.killed.total(),
        "error": bad.error,
        "others_done": states["done"],
    }


def _measure_here(**asked: Any) -> dict[str, Any]:
    """The real profile, on machines without bubblewrap too: the model was made here."""
    return REAL_PROFILE(**asked | {"needs_wall": False})


def stop(site: Site, given: argparse.Namespace) -> dict[str, Any]:
    """SIGTERM while a real model is measured: the run is back in the queue at once, and has lost no attempt."""
    site.profile = _measure_here
    row = _queue(site, "stopped", min_samples=50_000_000)
    first = site.spawn("bench")
    site.spawn("tick")
    running = Run.objects.filter(pk=row.pk, state=JobState.RUNNING, progress__gt=0)
    site.wait_for(running.exists, within=timedelta(seconds=60), said="the measurement is under way")
    asked_s = time.monotonic()
    os.kill(first, signal.SIGTERM)
    queued = Run.objects.filter(pk=row.pk, state=JobState.QUEUED)
    site.wait_for(queued.exists, within=timedelta(seconds=30), said="the run is handed back")
    handed_back_s = time.monotonic() - asked_s
    (ended,) = site.wait_for(site.reap, within=timedelta(seconds=30), said="the worker ends")
    ended_s = time.monotonic() - asked_s
    row.refresh_from_db()
    attempts = row.attempts
    site.profile = site.pretend
    site.spawn("bench")
    done = Run.objects.filter(pk=row.pk, state=JobState.DONE)
    site.wait_for(done.exists, within=timedelta(seconds=60), said="another worker does it")
    return {
        "handed_back_s": round(handed_back_s, 2),
        "ended_s": round(ended_s, 2),
        "exit_code": ended[1],
        "attempts_used": attempts,
    }


TRIALS: dict[str, Callable[[Site, argparse.Namespace], dict[str, Any]]] = {
    "storm": storm,
    "outage": outage,
    "sleeper": sleeper,
    "poison": poison,
    "stop": stop,
}


def _spawn(site: Site, role: str, rng: random.Random, *, is_doomed: bool) -> None:
    if is_doomed and role in POINTS and (role == "fresh" or rng.random() < 0.8):
        so_far = Counter(_noted(site))
        rarest = sorted(POINTS[role], key=lambda point: so_far[point])[:3]
        site.spawn(role, rng.choice(rarest), 1)
    else:
        site.spawn(role)


def _restart(site: Site, rng: random.Random, *, is_doomed: bool) -> None:
    for role, code in site.reap():
        if code == -signal.SIGKILL and role != "line":
            site.killed[role] += 1
        if role not in {"line", "fresh"}:
            _spawn(site, role, rng, is_doomed=is_doomed)


def _queue(site: Site, key: str, **plan: Any) -> Run:
    plan = {"scenario": "SingleStream", "min_samples": 700, **plan}
    return runs.queue(
        key=key, version=site.version, dataset=None, plan=plan, asked_for="", by=site.author, now=timezone.now()
    )


def _noted(site: Site) -> list[str]:
    return site.notes.read_text().splitlines() if site.notes.exists() else []


def _beats(site: Site) -> str:
    return site.beats.read_text() if site.beats.exists() else ""


def _sleepy(site: Site, *, on_progress: Any, should_stop: Any, **_: Any) -> dict[str, Any]:
    """Deaf to what its heartbeat says, so that the fence alone stands in its way."""
    row = on_progress.__self__.run
    site.beat(row, "begun")
    while not (site.place.folder / "wake").exists():
        time.sleep(0.05)
    site.beat(row, "woke")
    return walks.result_of(verdict="invalid", reasons=("of the sleeper",))


def _poisonous(site: Site, pk: int, *, on_progress: Any, **arguments: Any) -> dict[str, Any]:
    if on_progress.__self__.run.pk == pk:
        die(site.notes, "poison")
    return site.pretend(on_progress=on_progress, **arguments)
