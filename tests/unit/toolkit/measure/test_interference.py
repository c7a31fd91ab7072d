"""What the machine did meanwhile, from files that tests write."""

import os
import time

import pytest

from tests.unit.toolkit.builders import Clock
from weighbridge.measure.conditions.interference import (
    KernelCounters,
    interference_between,
    read_counters,
    slowdown,
    spin_ns,
)

TICKS = os.sysconf("SC_CLK_TCK")


def reading(at_s, own=0.0, busy=0.0, steal=0.0, pressure=0.0, load=0.5, preemptions=0):
    return KernelCounters(int(at_s * 1e9), own, busy, steal, pressure, load, preemptions)


def test_counters_are_read_from_the_kernel(tmp_path):
    (tmp_path / "pressure").mkdir()
    (tmp_path / "stat").write_text(f"cpu  {TICKS} {TICKS} {TICKS} 9 9 {TICKS} {TICKS} {3 * TICKS} 0 0\ncpu0 1\n")
    (tmp_path / "loadavg").write_text("1.25 0.36 0.16 2/176 8625\n")
    (tmp_path / "pressure" / "cpu").write_text("some avg10=15.46 avg60=4.43 total=9355085\nfull total=7\n")
    seen = read_counters(Clock(), proc=tmp_path)
    assert (seen.busy_s, seen.steal_s, seen.load_1min, seen.pressure_s) == (5.0, 3.0, 1.25, 9.355085)
    assert seen.at_ns == 0


@pytest.mark.parametrize("stat", [None, "intr 1 2 3 4 5 6 7 8 9\n", "cpu 1 2\n"])
def test_what_the_kernel_does_not_tell_is_none(tmp_path, stat):
    if stat:
        (tmp_path / "stat").write_text(stat)
    seen = read_counters(Clock(), proc=tmp_path)
    assert (seen.busy_s, seen.steal_s, seen.load_1min, seen.pressure_s) == (None, None, None, None)
    nothing = interference_between(seen, seen, spins_ns=[], cpus=2)
    assert nothing.as_document() == {
        "others_cpus": None,
        "steal_cpus": None,
        "pressure_share": None,
        "load_1min_before": None,
        "canary_ratio": 1.0,
        "cpus": 2,
        "preemptions_per_s": 0.0,
    }


def test_this_machine_can_be_read():
    seen = read_counters(time.perf_counter_ns)
    assert seen.own_cpu_s > 0
    assert seen.at_ns > 0


def test_shares_are_per_second_and_without_our_own_time():
    before, after = (
        reading(10, own=1, busy=100, steal=5, pressure=1, load=3.5),
        reading(20, own=6, busy=110, steal=7, pressure=3, preemptions=40),
    )
    seen = interference_between(before, after, spins_ns=[100, 100, 150], cpus=4)
    assert (seen.others_cpus, seen.steal_cpus, seen.pressure_share) == (0.5, 0.2, 0.2)
    assert (seen.load_1min_before, seen.canary_ratio, seen.cpus) == (3.5, 1.5, 4)
    assert seen.preemptions_per_s == 4.0


def test_our_own_time_never_makes_the_others_negative():
    assert interference_between(reading(0), reading(1, own=2, busy=1), spins_ns=[1], cpus=1).others_cpus == 0.0


@pytest.mark.parametrize(
    ("spins", "ratio"), [([], 1.0), ([5], 1.0), ([100] * 10 + [900], 1.0), ([100] * 9 + [300] * 2, 3.0), ([0, 2], 2.0)]
)
def test_slowdown_is_the_slowest_tenth_over_the_fastest(spins, ratio):
    assert slowdown(spins) == ratio


def test_the_canary_spins():
    assert spin_ns(time.perf_counter_ns, repeats=1) > 10_000
