"""Settings: their limits, and the way through JSON."""

import dataclasses
import json

import pytest

from weighbridge.core.converter import from_document, to_document
from weighbridge.core.errors import Invalid
from weighbridge.measure.scenarios import (
    MultiStream,
    Offline,
    ProfileSettings,
    RuntimeSettings,
    Server,
    SingleStream,
    WarmUp,
)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: WarmUp(values=9), "values"),
        (lambda: WarmUp(value_ms=-1), "value_ms"),
        (lambda: WarmUp(max_duration_s=0), "max_duration_s"),
        (lambda: SingleStream(min_samples=0), "min_samples"),
        (lambda: SingleStream(threads=0), "threads"),
        (lambda: SingleStream(min_duration_s=5, max_duration_s=4), "min_duration_s"),
        (lambda: SingleStream(seed=-1), "seed"),
        (lambda: ProfileSettings(quality_confidence=1), "quality_confidence"),
        (lambda: ProfileSettings(bootstraps=99), "bootstraps"),
        (lambda: from_document(ProfileSettings, {"scenario": {"name": "Sever"}}, name="settings"), "scenario"),
        (lambda: MultiStream(samples_per_query=0), "samples_per_query"),
        (lambda: Offline(batch=0), "batch"),
        (lambda: Offline(concurrency=0), "batch"),
        (lambda: Server(rate_per_s=0), "rate_per_s"),
        (lambda: Server(limit_ms=0), "limit_ms"),
        (lambda: Server(threads=0), "threads"),
        (lambda: RuntimeSettings(provider="tpu"), "provider"),
        (lambda: RuntimeSettings(optimization="more"), "optimization"),
        (lambda: RuntimeSettings(inter_op_threads=0), "inter_op_threads"),
        (lambda: RuntimeSettings(affinity=(-1,)), "affinity"),
        (lambda: ProfileSettings(tdp_w=0), "tdp_w"),
        (lambda: from_document(ProfileSettings, {"engine": {"speed": 3}}, name="settings"), "settings"),
        (lambda: from_document(ProfileSettings, {"scenario": {"sampels": 3}}, name="settings"), "settings"),
        (lambda: from_document(ProfileSettings, {"speed": 3}, name="settings"), "settings"),
    ],
)
def test_settings_that_cannot_work_are_refused(make, field):
    with pytest.raises(Invalid) as refusal:
        make()
    assert refusal.value.field == field


def test_settings_survive_json():
    settings = ProfileSettings(
        scenario=SingleStream(min_samples=7, threads=2, seed=3, warmup=WarmUp(values=12)), bootstraps=500
    )
    document = json.loads(json.dumps(to_document(settings)))
    assert document["scenario"]["name"] == "SingleStream"
    assert from_document(ProfileSettings, document, name="settings") == settings
    assert from_document(ProfileSettings, {}, name="settings") == ProfileSettings()


@pytest.mark.parametrize(
    ("scenario", "rows", "workers", "has_pauses"),
    [
        (SingleStream(), 1, 1, True),
        (MultiStream(samples_per_query=3), 3, 1, True),
        (Offline(batch=4), 4, 1, True),
        (Offline(batch=4, concurrency=2), 4, 2, False),
        (Server(rate_per_s=20, limit_ms=5), 1, 1, False),
    ],
)
def test_every_scenario_survives_json_and_says_what_a_query_is(scenario, rows, workers, has_pauses):
    settings = ProfileSettings(
        scenario=scenario,
        engine=RuntimeSettings(affinity=(0, 1), provider="cuda", options={"device_id": "0"}),
        tdp_w=65.0,
    )
    document = json.loads(json.dumps(to_document(settings)))
    assert (from_document(ProfileSettings, document, name="settings"), document["scenario"]["name"]) == (
        settings,
        scenario.NAME,
    )
    named = {**dataclasses.asdict(settings), "scenario": {"name": scenario.NAME, **dataclasses.asdict(scenario)}}
    assert json.dumps(to_document(settings)) == json.dumps(named)
    assert (scenario.rows, scenario.workers, scenario.has_pauses) == (rows, workers, has_pauses)
