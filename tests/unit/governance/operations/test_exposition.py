"""Prometheus' text format, byte for byte."""

from governance.operations.domain.exposition import exposed, family, histogram


def test_plain_values_and_escapes() -> None:
    odd = family("wb_x", "gauge", "An x.", [({"kind": 'a"b\\c\nd', "state": "dead"}, 2.0), ({}, 0.25)])
    assert exposed([odd]) == (
        '# HELP wb_x An x.\n# TYPE wb_x gauge\nwb_x{kind="a\\"b\\\\c\\nd",state="dead"} 2\nwb_x 0.25\n'
    )


def test_a_histogram_counts_upwards_and_ends_in_infinity() -> None:
    text = exposed([histogram("wb_s", "Seconds.", [({"kind": "a"}, {5.0: 3, 0.5: 1}, 4, 22.5)])])
    assert text.splitlines()[2:] == [
        'wb_s_bucket{kind="a",le="0.5"} 1',
        'wb_s_bucket{kind="a",le="5"} 3',
        'wb_s_bucket{kind="a",le="+Inf"} 4',
        'wb_s_sum{kind="a"} 22.5',
        'wb_s_count{kind="a"} 4',
    ]


def test_nothing_to_say() -> None:
    assert exposed([family("wb_x", "counter", "An x.", [])]) == "# HELP wb_x An x.\n# TYPE wb_x counter\n"
