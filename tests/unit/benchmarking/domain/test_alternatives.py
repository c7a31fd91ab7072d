"""What a result says of its variants, in words."""

from benchmarking.domain.alternatives import Picture, lines_of, pictures_of
from tests.factories.alternatives import RESULT


def test_every_variant_is_a_line_with_its_bounds():
    fp32, int8, graph, fp16 = lines_of(RESULT)
    assert (fp32.answer, fp32.drop, fp32.speed_up, fp32.standing) == ("the model itself", "", "", "dominated (P 0.01)")
    assert int8.accuracy == "0.8604 (0.8535 to 0.8671)"
    assert int8.drop == "0.11 (-0.08 to 0.29)"
    assert int8.p95_ms == "0.064 (0.058 to 0.070)"
    assert (int8.speed_up, int8.size_mb, int8.reasons) == ("1.61 (1.60 to 1.63)", "1.69", ("Because of int8.",))
    assert (graph.answer, graph.speed_up) == ("no gain", "1.00 (0.99 to 1.02), tied")
    assert (fp16.answer, fp16.accuracy, fp16.p95_ms, fp16.standing) == ("could not be made", "", "", "")


def test_pictures_are_those_that_were_drawn():
    (picture,) = pictures_of(RESULT)
    assert picture == Picture(
        "accuracy-latency", "Accuracy against latency", "int8 is on the frontier.", RESULT["charts"][0]["svg"]
    )


def test_a_result_of_another_kind_has_neither():
    assert (lines_of({"metrics": {}}), pictures_of({})) == ((), ())
