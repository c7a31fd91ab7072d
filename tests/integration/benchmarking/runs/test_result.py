"""What a run's page shows of its result: nothing that cannot be read, and nothing left out in silence."""

from benchmarking.runs.web.result import conditions_of, confusion_of, stride_of


def test_a_confusion_of_many_classes_is_not_drawn():
    assert confusion_of({"confusion": [[1] * 21] * 21}) is None
    assert confusion_of({}) is None


def test_conditions_of_a_bare_manifest():
    (only,) = conditions_of({"digest": "sha256:00", "data": None, "empty": {}})
    assert (only.title, only.pairs) == ("other", (("digest", "sha256:00"), ("data", "none")))
    assert conditions_of({}) == ()
    (part,) = conditions_of({"inputs": {"declared": [{"name": "x", "shape": ["n", 4]}], "fixed": False, "none": []}})
    assert part.pairs == (("declared", "name x, shape n, 4"), ("fixed", "no"), ("none", "none"))


def test_a_result_that_kept_every_sample_says_so():
    assert (stride_of({}), stride_of({"samples": {"stride": 3}})) == (1, 3)


def test_the_classes_of_a_confusion_have_their_names():
    counts = [[5, 0, 1], [0, 0, 0], [2, 0, 8]]
    named = confusion_of({"confusion": counts, "per_class": [{"class": "coat"}, {"class": "bag"}]})
    assert named is not None
    assert [name for name, _ in named.rows] == ["coat", "1", "bag"]
    unnamed = confusion_of({"confusion": counts, "per_class": [{"class": "coat"}]})
    assert unnamed is not None
    assert [name for name, _ in unnamed.rows] == ["0", "1", "2"]
