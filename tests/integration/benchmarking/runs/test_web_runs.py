"""Pages of runs: following one, reading its result, stopping and repeating it."""

from datetime import timedelta

import pytest

from benchmarking.runs.actions import runs as actions
from benchmarking.runs.models import Run
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from tests.factories.models import make_dataset
from tests.factories.requests import finish_run, keeping_samples, result_of
from tests.pages import html_of

MACHINE = {
    "cpu": "AMD EPYC",
    "memory_mb": 25276,
    "is_virtual": True,
    "cpu_flags": ["avx", "fma"],
    "limits": {"wall_s": 900},
}


@pytest.fixture
def run(version, author, now):
    """Queued by the author, asked for by no request."""
    plan = {"scenario": "SingleStream", "min_samples": 3000}
    return actions.queue(
        key="r", version=version, dataset=make_dataset(by=author, now=now), plan=plan, asked_for="", by=author, now=now
    )


@pytest.fixture
def done(run, now):
    """With samples, a confusion matrix and a doubt."""
    result = result_of(verdict="indicative", reasons=("The machine was busy.",))
    result["samples"] = {"latency_ns": [1_500_000 + 1000 * step for step in range(400)], "stride": 2}
    result["confusion"] = [[9, 1], [0, 0]]
    result["manifest"] |= {"machine": MACHINE, "data": None}
    return finish_run(run=run, now=now, result=result)


def held(run, now, **fields):
    claimed = Run.claim(pk=run.pk, now=now, lease=timedelta(minutes=5))
    assert claimed.renew(now=now, lease=timedelta(minutes=5), **fields)


def test_a_queued_run_says_its_place_and_is_followed(as_, run, author):
    page = html_of(as_(author).get(f"/runs/{run.pk}/"))
    assert "First in the queue; the next free “cpu” worker takes it." in page
    assert f'hx-get="/runs/{run.pk}/live/"' in page
    assert "Cancel" in page


def test_a_running_run_says_how_far_it_is(as_, run, author, now):
    held(run, now, state=JobState.RUNNING, progress=0.42, phase="measuring latency")
    answer = as_(author).get(f"/runs/{run.pk}/live/", headers={"HX-Request": "true"})
    page = html_of(answer)
    assert "Running: measuring latency" in page
    assert "42\N{NO-BREAK SPACE}%" in page
    assert "HX-Refresh" not in answer.headers


def test_a_run_that_a_silent_worker_gave_back_says_why(as_, run, author, now):
    Run.objects.filter(pk=run.pk).update(attempts=2, error="The worker stopped responding.")
    page = html_of(as_(author).get(f"/runs/{run.pk}/live/"))
    assert "The worker stopped responding." in page
    assert "Attempt 2 of 3" in page


def test_once_it_has_ended_the_page_is_fetched_again(as_, done, author):
    answer = as_(author).get(f"/runs/{done.pk}/live/")
    assert answer.headers["HX-Refresh"] == "true"
    assert "hx-get" not in html_of(answer)


def test_a_result_is_shown_with_verdict_metric_values_distribution_and_conditions(as_, done, author):
    answer = as_(author).get(f"/runs/{done.pk}/")
    page = html_of(answer)
    for words in (
        "Indicative",
        "The machine was busy.",
        "400 samples; half took at most",
        "The result stores one of every 2 measured samples.",
        "AMD EPYC",
        "Memory (MB)",
    ):
        assert words in page
    groups = {
        group.title: [metric_value.name for metric_value in group.metric_values] for group in answer.context["groups"]
    }
    assert groups == {
        "Speed": ["latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "throughput_per_s"],
        "Quality": ["accuracy", "f1_macro"],
    }
    assert [(cell.count, cell.share, cell.is_hit) for cell in answer.context["confusion"].rows[0][1]] == [
        (9, 0.9, True),
        (1, 0.1, False),
    ]
    machine = answer.context["conditions"][0]
    assert machine.title == "machine"
    assert dict(machine.pairs) == {
        "CPU": "AMD EPYC",
        "memory (MB)": "25276",
        "virtual": "yes",
        "CPU flags": "avx, fma",
        "limits wall (s)": "900",
    }


def test_the_distribution_is_a_picture_of_the_samples_and_marks_percentiles(as_, done, author):
    answer = as_(author).get(f"/runs/{done.pk}/")
    chart = answer.context["distribution"]
    assert sum(point.y for point in chart.points) == 400
    assert [reference.name for reference in chart.across] == ["p50 1.5"]
    assert 'id="latency-chart"' in html_of(answer)


def test_without_samples_there_is_no_distribution(as_, run, author, now):
    finish_run(run=run, now=now, result=result_of())
    assert as_(author).get(f"/runs/{run.pk}/").context["distribution"] is None


def test_a_metric_of_tomorrow_is_shown_too(as_, run, author, now):
    result = result_of()
    result["metrics"]["joules"] = {"value": 3.5, "lower": None, "upper": None, "confidence": None, "n": 1, "unit": "J"}
    finish_run(run=run, now=now, result=result)
    groups = as_(author).get(f"/runs/{run.pk}/").context["groups"]
    assert [(metric_value.name, metric_value.unit) for metric_value in groups[-1].metric_values] == [("joules", "J")]


def test_a_failed_run_says_why(as_, run, author, now):
    claimed = Run.claim(pk=run.pk, now=now, lease=timedelta(minutes=5))
    jobs.fail(row=claimed, reason="The model ran out of memory.", now=now)
    assert "The model ran out of memory." in html_of(as_(author).get(f"/runs/{run.pk}/"))


def test_the_result_is_there_to_be_taken_away(as_, done, author):
    answer = as_(author).get(f"/runs/{done.pk}/result.json")
    assert answer.json() == done.result
    assert answer.headers["Content-Disposition"] == f'attachment; filename="run-{done.pk}.json"'


def test_without_a_result_there_is_nothing_to_take(as_, run, author):
    answer = as_(author).get(f"/runs/{run.pk}/result.json")
    assert answer.status_code == 404
    assert "has no result; it is queued" in html_of(answer)


def test_a_run_is_canceled_once(as_, run, author):
    client = as_(author)
    assert "is canceled" in html_of(client.post(f"/runs/{run.pk}/cancel/", follow=True))
    run.refresh_from_db()
    assert run.state == JobState.CANCELED
    assert "cannot be canceled" in html_of(client.post(f"/runs/{run.pk}/cancel/", follow=True))


def test_a_run_is_repeated_as_a_run_of_its_own(as_, done, author):
    answer = as_(author).post(f"/runs/{done.pk}/repeat/")
    again = Run.objects.exclude(pk=done.pk).get()
    assert answer.headers["Location"] == f"/runs/{again.pk}/"
    assert (again.state, again.plan, again.dataset) == (JobState.QUEUED, done.plan, done.dataset)


def test_an_unfinished_run_is_not_repeated(as_, run, author):
    answer = as_(author).post(f"/runs/{run.pk}/repeat/", follow=True)
    assert "is still queued" in html_of(answer)
    assert answer.redirect_chain == [(f"/runs/{run.pk}/", 302)]
    assert Run.objects.count() == 1


@pytest.mark.parametrize("step", ["cancel", "repeat"])
def test_whoever_may_not_run_is_told_why_and_nothing_moves(as_, run, reviewer_one, step):
    answer = as_(reviewer_one).post(f"/runs/{run.pk}/{step}/", follow=True)
    assert "start or stop its benchmarks" in html_of(answer)
    assert [row.state for row in Run.objects.all()] == [JobState.QUEUED]


def test_steps_a_reader_cannot_take_are_named_with_the_reason(as_, run, reviewer_one):
    page = html_of(as_(reviewer_one).get(f"/runs/{run.pk}/"))
    assert 'aria-disabled="true"' in page
    assert f'action="/runs/{run.pk}/cancel/"' not in page


@pytest.mark.parametrize("path", ["/runs/{pk}/", "/runs/{pk}/live/", "/runs/{pk}/result.json"])
def test_another_teams_run_is_not_found(as_, done, outsider, path):
    assert as_(outsider).get(path.format(pk=done.pk)).status_code == 404


def test_runs_of_a_model_are_a_part_of_its_page_and_a_page_without_scripts(as_, done, author, outsider):
    path = "/models/search/visual-search/runs/"
    part = html_of(as_(author).get(path, headers={"HX-Request": "true"}))
    assert f"Run {done.pk}" in part
    assert "<html" not in part
    assert "<html" in html_of(as_(author).get(path))
    assert as_(outsider).get(path).status_code == 404


def test_a_model_without_runs_says_so(as_, version, author):
    assert "No benchmark runs yet" in html_of(as_(author).get("/models/search/visual-search/runs/"))


def test_a_repetition_says_how_it_compares_on_its_page_and_to_programs(as_, run, author, now):
    first = finish_run(run=run, now=now, result=keeping_samples(result_of({"latency_p95_ms": (2.0, 1.99, 2.01, 3000)})))
    again = actions.repeat(run=first, by=author, now=now)
    result = keeping_samples(result_of({"latency_p95_ms": (3.0, 2.99, 3.01, 3000)}))
    result["manifest"] |= {"machine": {"cpu": "Another"}, "engine": None}
    again = finish_run(run=again, now=now, result=result)
    page = html_of(as_(author).get(f"/runs/{again.pk}/"))
    for words in (
        "Different: the interval of a metric value is outside the margin.",
        "1.500 (1.5",
        "machine.cpu",
        "none → Another",
    ):
        assert words in page
    assert f'<a href="/runs/{first.pk}/">Run {first.pk}</a>, with the settings from its manifest' in page
    told = as_(author).get(f"/api/v1/runs/{again.pk}/").json()
    assert (told["repeats"], told["equivalence"]["answer"]) == (first.pk, "different")
    other = html_of(as_(author).get(f"/runs/{first.pk}/"))
    assert 'id="equivalence"' not in other


def test_a_repetition_that_differs_in_nothing_says_so_and_why_it_cannot_tell(as_, run, author, now):
    first = finish_run(run=run, now=now, result=result_of(verdict="invalid"))
    again = finish_run(run=actions.repeat(run=first, by=author, now=now), now=now, result=result_of())
    page = html_of(as_(author).get(f"/runs/{again.pk}/"))
    assert "The first run is not a valid measurement, so it cannot be compared." in page
    assert "Both manifests have" in page
