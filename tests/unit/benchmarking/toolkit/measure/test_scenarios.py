"""Settings: their limits, and the way through JSON."""

import json

import pytest

from benchmarking.toolkit.measure.scenarios import ProfileSettings, SingleStream, WarmUp, settings_from
from governance.domain.refusals import Invalid


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
        (lambda: settings_from({"scenario": {"name": "Server"}}), "scenario"),
        (lambda: settings_from({"scenario": {"sampels": 3}}), "settings"),
        (lambda: settings_from({"speed": 3}), "settings"),
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
    document = json.loads(json.dumps(settings.as_document()))
    assert document["scenario"]["name"] == "SingleStream"
    assert settings_from(document) == settings
    assert settings_from({}) == ProfileSettings()
