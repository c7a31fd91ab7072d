"""What a result says of its variants, in words."""

import pytest

from benchmarking.runs.domain.alternatives import Picture, families_of, pictures_of, variant_lines_of, wanted_from
from tests.factories.alternatives import RESULT, metric_value, variant
from weighbridge.optimization.alternatives import AlternativesWanted, Rival


def test_every_variant_is_a_line_with_its_bounds():
    fp32, int8, graph, fp16 = variant_lines_of(RESULT)
    assert (fp32.answer, fp32.quality_drop, fp32.speed_up, fp32.status) == (
        "the model itself",
        "",
        "",
        "dominated (P 0.01)",
    )
    assert int8.accuracy == "0.8604 (0.8535 to 0.8671)"
    assert int8.quality_drop == "0.11 (-0.08 to 0.29)"
    assert int8.p95_ms == "0.064 (0.058 to 0.070)"
    assert (int8.speed_up, int8.size_mb, int8.reasons) == ("1.61 (1.60 to 1.63)", "1.69", ("Because of int8.",))
    assert (graph.answer, graph.speed_up) == ("no gain", "1.00 (0.99 to 1.02), tied")
    assert (fp16.answer, fp16.accuracy, fp16.p95_ms, fp16.status) == ("could not be made", "", "", "")


def test_pictures_are_those_that_were_drawn():
    (picture,) = pictures_of(RESULT)
    assert picture == Picture(
        "accuracy-latency", "Accuracy against latency", "int8 is on the frontier.", RESULT["charts"][0]["svg"]
    )


def test_a_result_of_another_kind_has_neither():
    assert (variant_lines_of({"metrics": {}}), pictures_of({})) == ((), ())


def test_the_original_of_another_family_is_another_candidate():
    result = {
        "baseline": "mine-fp32",
        "candidates": [variant(name, "baseline", 1.0) for name in ("mine-fp32", "b-fp32")],
    }
    assert [line.answer for line in variant_lines_of(result)] == ["the model itself", "another candidate"]


def test_a_plan_names_rivals_by_row_and_digest():
    plan = {
        "variants": ["fp16"],
        "max_quality_drop": 0.02,
        "calibration_rows": 9,
        "family": "mobilenet",
        "rivals": [{"family": "resnet", "version_id": 7, "digest": "sha256:ab"}],
    }
    assert wanted_from(plan) == AlternativesWanted(
        variants=("fp16",),
        max_quality_drop=0.02,
        calibration_rows=9,
        family="mobilenet",
        rivals=(Rival("resnet", 7, "sha256:ab"),),
    )


@pytest.mark.parametrize(
    ("names", "families"),
    [
        ([("images", "1.0.0"), ("images", "2.0.0")], ["1-0-0", "2-0-0"]),
        (
            [("images", "ResNet 1"), ("images", "resnet-1"), ("images", "ResNet/1")],
            ["resnet-1", "resnet-1~2", "resnet-1~3"],
        ),
        ([("images", "1"), ("search", "1")], ["images-1", "search-1"]),
        ([("images", "../.."), ("images", "v" * 60)], ["model", "v" * 40]),
    ],
)
def test_families_are_called_as_little_as_tells_them_apart(names, families):
    assert families_of(names) == families


def test_an_alternative_to_a_language_model_has_a_pass_rate_and_a_saving():
    candidate = {
        "name": "small",
        "made_by": "smaller model",
        "kind": "smaller_model",
        "metrics": {
            "pass_rate": metric_value(0.89, 0.85, 0.92, unit="ratio"),
            "cost_per_accepted_usd": metric_value(0.000618, 0.0006, 0.00064, unit="USD"),
        },
        "verdict": {"answer": "worth_it", "reasons": []},
        "quality_drop": {"value": 0.01, "lower": 0.001, "upper": 0.02},
        "cost_saving": {"value": 0.002437, "lower": 0.0024, "upper": 0.0025},
    }
    (line,) = variant_lines_of({"candidates": [candidate]})
    assert (line.answer, line.pass_rate) == ("equivalent and cheaper", "0.8900 (0.8500 to 0.9200)")
    assert line.usd_per_accepted == "0.000618 (0.000600 to 0.000640)"
    assert (line.usd_saved, line.accuracy) == ("0.002437 (0.002400 to 0.002500)", "")
    assert line.quality_drop == "1.00 (0.10 to 2.00)"
