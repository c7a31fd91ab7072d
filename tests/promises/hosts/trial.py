"""The trial: blows against each host and each link while people file requests, and what each of them cost."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import django

django.setup()

from botocore.exceptions import BotoCoreError  # noqa: E402 -- as above
from django.core.files.storage import storages  # noqa: E402 -- as above
from django.db import OperationalError, connection  # noqa: E402 -- Django is set up first
from django.utils import timezone  # noqa: E402 -- Django is set up first

from tests.promises.hosts import loads, rolling, verdict  # noqa: E402 -- Django is set up first
from tests.promises.hosts.installation import GPU, TICKS, WEBS, WORKERS, Installation  # noqa: E402 -- as above
from tests.promises.hosts.network import Host  # noqa: E402 -- as above
from tests.promises.hosts.people import DIED, People  # noqa: E402 -- as above
from tests.promises.hosts.scene import make_scene  # noqa: E402 -- as above

OURS = (*WEBS, *TICKS, *WORKERS, GPU)
SERVICES = ("edge", "database", "broker", "outside")
DECISIONS, LASTS_S, SETTLES_S = 8, 6.0, 240.0
EVERYTHING_BUSY = {502, 503, 504, DIED}
MAY_BE_ANSWERED: dict[str, set[int | str]] = {
    "web1": {502, 504, DIED},  # a call that hangs there
    "web2": {502, 504, DIED},
    "edge": {DIED},
    "database": EVERYTHING_BUSY,
    "bucket": EVERYTHING_BUSY,
}


@dataclass(frozen=True)
class Blow:
    """What happens to a host, and how it ends."""

    name: str
    strike: Callable[[Host], None]
    heal: Callable[[Host], None]
    hosts: tuple[str, ...]


BLOWS = (
    Blow("restart", Host.restart, lambda host: None, ("web1", "tick1", "cpu1", "gpu1")),
    Blow("kill", Host.kill, Host.start, OURS + SERVICES),
    Blow("cut", Host.cut, Host.mend, (*OURS, *SERVICES, "bucket")),
    Blow("power", Host.lose_power, Host.start, ("web1", "tick1", "cpu1")),
    Blow("standstill", Host.stand_still, Host.go_on, ("tick2", "cpu1", "database")),
    Blow("slow", lambda host: host.slow(kbit_per_s=256), Host.unslow, ("database", "broker")),
    Blow("upgrade", rolling.upgrade, lambda host: None, OURS),
)


def run(site: Installation, *, only: list[str]) -> dict[str, Any]:
    """Everything, in this order; `only` names blows, all without it."""
    outside = f"https://{site.host('outside').address}"
    _wait(_reach_database, said="the database answers")
    _wait(_make_bucket, said="the object storage answers")
    scene = make_scene(now=timezone.now(), jira=outside, decisions=DECISIONS)
    people = People(
        address=site.host("edge").address,
        certificate=site.folder / "edge.crt",
        tokens=scene.tokens,
        version=scene.version,
    )
    site.run_all()
    _wait(lambda: people.call("GET", "/livez", person="author")[0] == 200, said="the application answers")
    _wait(lambda: len(_at_work(site)) == 1, said="one tick is at work")
    people.begin()
    waiting = list(scene.to_vote)
    load = loads.fire(site) if not only or "load" in only else {}
    blows = [
        _struck(site, people, blow, name, to_vote=waiting)
        for blow in BLOWS
        for name in blow.hosts
        if not only or blow.name in only or f"{blow.name}:{name}" in only
    ]
    held_s = _trail_held_s(site) if not only or "trail" in only else None
    people.to_vote = waiting
    while people.to_vote:
        _go_on(people, lasts_s=1.0)
    _wait(rolling.is_done, said="the effects of the next version are done")
    print({"load": load, "trail_held_s": held_s, "refusals": people.refusals}, file=sys.stderr)
    said = verdict.verdict(
        accepted=people.accepted, voted=people.voted, jira=outside, beats=site.folder / "var" / "beats"
    )
    figures = {"blows": blows, "load": load, "trail_held_s": held_s, "refusals": people.refusals}
    return figures | {"upgrade": rolling.figures()} | said


def _struck(site: Installation, people: People, blow: Blow, name: str, *, to_vote: list[str]) -> dict[str, Any]:
    """Strike a host while people are at it, heal it, and wait until everything that was accepted is done."""
    people.to_vote = [to_vote.pop()] if to_vote else []
    host, people.phase = site.host(name), f"{blow.name} {name}"
    was_at_work = _at_work(site)
    people.is_paused.clear()
    time.sleep(1.0)
    struck_s = time.monotonic()
    blow.strike(host)
    taken_over_s = _taken_over_s(site, struck_s) if was_at_work == [name] else None
    time.sleep(max(0.0, struck_s + LASTS_S - time.monotonic()))
    blow.heal(host)
    healed_s = time.monotonic()
    time.sleep(1.0)
    people.is_paused.set()
    _wait(people.is_content, said=f"{people.phase}: people are content", state=lambda: people.latest)
    _wait(lambda: _open_work() == 0, said=f"{people.phase}: what was accepted is done")
    answers = {status: n for (phase, status), n in people.answers.items() if phase == people.phase}
    # What strikes a worker costs nobody an answer.
    allowed = MAY_BE_ANSWERED.get(name, set())
    unexpected = {status: n for status, n in answers.items() if _is_failure(status) and status not in allowed}
    figures = {
        "blow": people.phase,
        "answers": {str(status): n for status, n in sorted(answers.items(), key=str)},
        "unexpected": sum(unexpected.values()),
        "settled_s": round(time.monotonic() - healed_s, 1),
        "taken_over_s": taken_over_s,
    }
    print(figures, file=sys.stderr)
    return figures


def _is_failure(status: int | str) -> bool:
    return isinstance(status, str) or status >= 500


def _go_on(people: People, *, lasts_s: float) -> None:
    people.phase = "calm"
    people.is_paused.clear()
    time.sleep(lasts_s)
    people.is_paused.set()
    _wait(people.is_content, said="people are content")
    _wait(lambda: _open_work() == 0, said="what was accepted is done")


def _make_bucket() -> bool:
    bucket = storages["artifacts"]
    place = {"LocationConstraint": bucket.region_name}
    try:
        bucket.connection.create_bucket(Bucket=bucket.bucket_name, CreateBucketConfiguration=place)
    except BotoCoreError:
        return False
    return True


def _reach_database() -> bool:
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    return True


def _open_work() -> int | None:
    try:
        return verdict.open_work()
    except OperationalError:
        connection.close()
        return None


def _at_work(site: Installation) -> list[str]:
    """The ticks that said last that they are at work."""
    said = {name: site.host(name).log("tick").read_text() for name in TICKS}
    return [name for name, text in said.items() if text.rfind("This tick is at work.") > text.rfind("stands by.")]


def _taken_over_s(site: Installation, struck_s: float) -> float:
    """Seconds until another tick is at work."""
    before = len(_at_work(site))
    _wait(lambda: len(_at_work(site)) > before, said="another tick takes over")
    return round(time.monotonic() - struck_s, 1)


def _trail_held_s(site: Installation) -> float:
    """How long everybody waits for a host that lost its power while it held the head of the audit trail."""
    from governance.audit.locking import CHAIN_LOCK

    host = site.host("people2")
    host.run("holder", [*loads.PYTHON, "tests.promises.hosts.holder"], site.environment)
    _wait(lambda: "held" in host.log("holder").read_text(), said="the trail is held")
    host.commands.clear()
    host.lose_power()
    began_s = time.monotonic()

    def is_free() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [CHAIN_LOCK])
            return bool(cursor.fetchone()[0])

    _wait(is_free, said="the trail is free again")
    return round(time.monotonic() - began_s, 1)


def _wait(what: Callable[[], Any], *, said: str, state: Callable[[], object] = lambda: "") -> None:
    ends_s = time.monotonic() + SETTLES_S
    while not what():
        if time.monotonic() > ends_s:
            raise AssertionError(f"{said}: not within {SETTLES_S:g} s {state()}")
        time.sleep(0.1)
