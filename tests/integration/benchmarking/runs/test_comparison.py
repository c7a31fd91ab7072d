"""The page that sets runs side by side: its address is its state, and it shows nobody a run they may not see."""

import pytest
from django.urls import reverse

from benchmarking.runs.actions import runs as actions
from benchmarking.runs.queries import runs as run_queries
from governance.people.queries.people import person_of
from tests.factories.models import make_dataset, make_version
from tests.factories.people import OTHER_TEAM, TEAM
from tests.factories.requests import finish_run, result_of
from tests.pages import html_of


@pytest.fixture
def runs(version, author, now):
    """Two finished runs of one version, and one that waits."""
    dataset = make_dataset(by=author, now=now)
    made = [
        actions.queue(
            key=f"r{place}",
            version=version,
            dataset=dataset,
            plan={"scenario": "SingleStream", "min_samples": 3000},
            asked_for="",
            by=author,
            now=now,
        )
        for place in range(3)
    ]
    for run, p95 in zip(made, (80.0, 40.0), strict=False):
        found = result_of({"latency_p95_ms": (p95, p95 - 1, p95 + 1, 3000), "accuracy": (0.9, 0.88, 0.92, 2000)})
        finish_run(run=run, result=found, now=now)
    return made


def compare(client, *ids, **more):
    return client.get(reverse("benchmarking:compare"), {"run": ids, **more})


def test_two_runs_stand_side_by_side_the_first_being_the_measure(as_, author, runs):
    page = compare(as_(author), runs[0].pk, runs[1].pk)
    text = html_of(page)
    assert page.status_code == 200
    assert "better" in text
    assert "0.5, better" in text
    assert f"?run={runs[1].pk}&amp;run={runs[0].pk}" in text  # the link that turns them round


def test_differences_only_hides_what_is_the_same(as_, author, runs):
    everything = html_of(compare(as_(author), runs[0].pk, runs[1].pk))
    narrowed = html_of(compare(as_(author), runs[0].pk, runs[1].pk, only="differences"))
    assert '<th scope="row">accuracy' in everything.lower()
    assert "without differences" not in everything
    assert "p95" in narrowed.lower()
    assert '<th scope="row">accuracy' not in narrowed.lower()
    assert "without differences" in narrowed


def test_a_run_that_waits_has_no_metric_values_and_says_so(as_, author, runs):
    assert "no value" in html_of(compare(as_(author), runs[0].pk, runs[2].pk))


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([], "Select 2 to 6 runs"),
        (["1"], "Select 2 to 6 runs"),
        (["x", "2"], "A run must be a number"),
        (["9" * 40, "2"], "A run must be a number"),
        ([str(place) for place in range(1, 9)], "At most 6 runs"),
    ],
)
def test_a_choice_that_cannot_be_compared_is_answered_in_words(ids, words, as_, author, runs):
    wanted = [str(runs[0].pk)] if ids == ["1"] else ids
    page = compare(as_(author), *wanted)
    assert page.status_code == 400
    assert words in html_of(page)


def test_strangers_learn_nothing(as_, author, outsider, runs):
    page = compare(as_(outsider), runs[0].pk, runs[1].pk)
    assert page.status_code == 404
    told = {"Latency p95", runs[0].model_version.asset.name}
    assert {words for words in told if words in html_of(compare(as_(author), runs[0].pk, runs[1].pk))} == told
    assert {words for words in told if words in html_of(page)} == set()


def test_the_list_of_runs_leads_there(as_, author, runs):
    asset = runs[0].model_version.asset
    page = html_of(as_(author).get(reverse("benchmarking:model_runs", args=[asset.team.slug, asset.slug])))
    assert reverse("benchmarking:compare") in page
    assert page.count('name="run"') == 3


def test_all_runs_can_be_found_and_chosen(as_, author, outsider, runs):
    asset, dataset = runs[0].model_version.asset, runs[0].dataset
    address = reverse("benchmarking:runs")
    page = html_of(as_(author).get(address))
    assert page.count('name="run"') == 3
    assert asset.name in page
    for chosen in ({"model": asset.pk}, {"team": asset.team.slug}, {"dataset": dataset.pk}, {"model": "x"}):
        assert html_of(as_(author).get(address, chosen)).count('name="run"') == 3
    nothing = as_(outsider).get(address)
    assert asset.name not in html_of(nothing)
    assert (nothing.status_code, len(nothing.context["runs"])) == (200, 0)
    assert len(as_(outsider).get(address, {"model": asset.pk}).context["runs"]) == 0


def test_the_filter_offers_some_models_by_name_and_those_of_the_team(as_, cast, runs, now, monkeypatch):
    monkeypatch.setattr(run_queries, "MODELS_MAX", 2)
    owned = {}
    owners = {"aa": cast.author, "ab": cast.outsider, "ac": cast.author, "ad": cast.author}
    for seed, (slug, by) in enumerate(owners.items()):
        team = TEAM if by == cast.author else OTHER_TEAM
        made = make_version(by=by, now=now, slug=slug, team=team, seed=seed + 5)
        owned[slug] = made.asset
        if slug != "ad":
            actions.queue(key=slug, version=made, dataset=None, plan=runs[0].plan, asked_for="", by=by, now=now)

    def offered(**chosen):
        form = as_(cast.approver).get(reverse("benchmarking:runs"), chosen).context["form"]
        return [label.partition(",")[0] for _, label in form.fields["model"].choices]

    assert offered()[1:] == ["Aa", "Ab"]
    assert offered()[0].startswith("All (")
    assert offered(team=TEAM)[1:] == ["Aa", "Ac"]
    assert offered(team=OTHER_TEAM) == ["All", "Ab"]
    assert offered(team=OTHER_TEAM, model=owned["ac"].pk) == ["All", "Ab", "Ac"], "the chosen one stays"
    assert offered(model=owned["ad"].pk)[1:] == ["Aa", "Ab"], "it has no run"
    teams = run_queries.choices_for(person_of(cast.approver)).team
    assert [slug for slug, _ in teams] == [OTHER_TEAM, TEAM]


def test_runs_on_other_data_are_not_called_better(as_, author, version, runs, now):
    other = actions.queue(
        key="other",
        version=version,
        dataset=None,
        plan={"scenario": "SingleStream", "min_samples": 3000},
        asked_for="",
        by=author,
        now=now,
    )
    finish_run(run=other, result=result_of({"latency_p95_ms": (1.0, 0.9, 1.1, 3000)}), now=now)
    text = html_of(compare(as_(author), runs[0].pk, other.pk))
    assert "not comparable: other data set" in text
    assert ", better" not in text
    assert "Not everything can be compared." in text
    assert 'id="compare-latency_p95_ms"' in text
    assert f"{version}, run {other.pk}" in text


@pytest.fixture
def namesakes(version, author, outsider, now):
    """Two runs of one model: on the governed set of one team, and on a proposed one of another team of that name."""
    governed = make_dataset(by=author, now=now)
    proposed = make_dataset(by=outsider, now=now, seed=1, is_governed=False)
    assert str(governed) == str(proposed)
    assert governed.digest != proposed.digest
    made = []
    for dataset, accuracy in ((governed, (0.85, 0.84, 0.86, 2000)), (proposed, (0.95, 0.94, 0.96, 2000))):
        run = actions.queue(
            key=f"namesake{dataset.pk}",
            version=version,
            dataset=dataset,
            plan={"scenario": "SingleStream", "min_samples": 3000},
            asked_for="",
            by=author,
            now=now,
        )
        made.append(finish_run(run=run, result=result_of({"accuracy": accuracy}), now=now))
    return made


def test_runs_on_different_data_of_one_name_are_not_called_better(as_, cast, namesakes):
    text = html_of(compare(as_(cast.reviewer_one), *(run.pk for run in namesakes)))
    assert "not comparable: other data set" in text
    assert ", better" not in text
    assert "×" not in text  # noqa: RUF001 -- the sign before a ratio
    for run in namesakes:
        assert f"{run.dataset} ({run.dataset.digest.removeprefix('sha256:')[:12]})" in text
    only = html_of(compare(as_(cast.reviewer_one), *(run.pk for run in namesakes), only="differences"))
    assert '<th scope="row">Data' in " ".join(only.split()).replace('"row"> Data', '"row">Data')


def test_the_same_data_under_two_names_are_comparable(as_, cast, version, author, outsider, now):
    sets = [make_dataset(by=author, now=now), make_dataset(by=outsider, now=now, name="copy", is_governed=False)]
    assert sets[0].digest == sets[1].digest
    made = [
        actions.queue(
            key=f"copy{dataset.pk}",
            version=version,
            dataset=dataset,
            plan={"scenario": "SingleStream", "min_samples": 3000},
            asked_for="",
            by=author,
            now=now,
        )
        for dataset in sets
    ]
    for run, accuracy in zip(made, ((0.85, 0.84, 0.86, 2000), (0.95, 0.94, 0.96, 2000)), strict=True):
        finish_run(run=run, result=result_of({"accuracy": accuracy}), now=now)
    text = html_of(compare(as_(cast.reviewer_one), *(run.pk for run in made)))
    assert ", better" in text
    assert "not comparable" not in text


def test_the_filter_says_whose_data_set_it_is(as_, cast, namesakes):
    text = html_of(as_(cast.reviewer_one).get(reverse("benchmarking:runs")))
    assert {f"{run.dataset}, {run.dataset.team.name}" in text for run in namesakes} == {True}
    first = as_(cast.reviewer_one).get(reverse("benchmarking:runs"), {"dataset": namesakes[0].dataset.pk})
    assert [view.id for view in first.context["runs"]] == [namesakes[0].pk]
