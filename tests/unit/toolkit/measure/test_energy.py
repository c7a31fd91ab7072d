"""Energy, from counters in a folder of the test's."""

import pytest

from weighbridge.measure.conditions import energy
from weighbridge.measure.conditions.energy import Counter


def zone(root, name, joules, *, wraps_at=100):
    folder = root / "class" / "powercap" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "energy_uj").write_text(str(int(joules * 1e6)))
    (folder / "max_energy_range_uj").write_text(str(int(wraps_at * 1e6)))


def test_packages_are_read_and_their_parts_are_not(tmp_path):
    zone(tmp_path, "intel-rapl:0", 12.5)
    zone(tmp_path, "intel-rapl:0:0", 3)
    zone(tmp_path, "intel-rapl:1", 7)
    assert energy.read_counters(tmp_path) == {"intel-rapl:0": Counter(12.5, 100), "intel-rapl:1": Counter(7, 100)}


def test_a_counter_that_may_not_be_read_leaves_no_metric(tmp_path):
    zone(tmp_path, "intel-rapl:0", 12.5)
    (tmp_path / "class" / "powercap" / "intel-rapl:1").mkdir()
    assert energy.read_counters(tmp_path) == {}
    assert energy.read_counters(tmp_path / "none") == {}


def test_the_energy_of_all_packages_with_a_wrap():
    before = {"a": Counter(90, 100), "b": Counter(10, 100)}
    assert energy.joules_between(before, {"a": Counter(5, 100), "b": Counter(30, 100)}) == 35
    assert energy.joules_between({}, {}) is None
    assert energy.joules_between(before, {"a": Counter(5, 100)}) is None


def test_the_estimate_is_worked_by_hand():
    # 3 of 4 processors busy for 10 s at 80 W: 600 J.
    assert energy.estimated_joules(tdp_w=80, cpu_s=30, cpus=4) == 600


def test_a_metric_names_its_basis():
    metric = energy.energy_metrics(50.0, queries=200, basis=energy.MEASURED)["energy_per_query_j"]
    assert (metric["value"], metric["unit"], metric["n"], metric["basis"]) == (0.25, "J", 200, "measured")
    assert energy.missing_energy(("energy_per_query_j",)) == []


@pytest.mark.parametrize(("joules", "queries"), [(None, 5), (5.0, 0)])
def test_no_energy_has_no_metric_but_a_reason(joules, queries):
    assert energy.energy_metrics(joules, queries=queries, basis=energy.MEASURED) == {}
    assert "labeled" in energy.missing_energy(())[0]["message"]
