"""Which variants are tried, and how they are called."""

import dataclasses

import pytest

from weighbridge.core.converter import from_document
from weighbridge.core.errors import Invalid
from weighbridge.optimization import recipes
from weighbridge.optimization.recipes import DYNAMIC, ENTROPY, GRAPH, HALF, NO_HALF, PER_CHANNEL, PER_TENSOR, RECIPES

X86 = {"architecture": "x86_64", "cpu_flags": ["avx512_vnni"]}
ARM = {"architecture": "aarch64", "cpu_flags": ["asimd", "asimdhp"]}


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (GRAPH, "graph optimization (ONNX Runtime, extended level, saved)"),
        (PER_CHANNEL, "static INT8 (QDQ, per channel, MinMax over 512 rows)"),
        (PER_TENSOR, "static INT8 (QDQ, per tensor, MinMax over 512 rows)"),
        (ENTROPY, "static INT8 (QDQ, per channel, Entropy over 512 rows)"),
        (DYNAMIC, "dynamic INT8 (weights per channel, activations scaled at each inference)"),
        (HALF, "FP16 (inputs and outputs stay FP32)"),
    ],
)
def test_a_recipe_says_what_it_does(recipe, words):
    assert recipe.words(rows=512) == words


def test_only_static_quantization_is_shown_rows():
    assert [recipe.name for recipe in RECIPES if recipe.needs_rows] == [
        "int8-static-per-channel",
        "int8-static-per-tensor",
        "int8-static-entropy",
        "int8-static-percentile",
    ]


def test_every_recipe_survives_the_way_to_the_child():
    assert [from_document(recipes.Recipe, dataclasses.asdict(recipe), name="recipe") for recipe in RECIPES] == list(
        RECIPES
    )


def test_half_precision_is_left_out_with_a_sentence_where_it_cannot_gain():
    wanted, left_out = recipes.chosen([], machine=X86, force_half=False)
    assert (wanted, left_out) == ([recipe for recipe in RECIPES if recipe is not HALF], [NO_HALF])


@pytest.mark.parametrize(("machine", "force"), [(X86, True), (ARM, False)])
def test_half_precision_is_tried_where_it_gains_or_was_asked_for(machine, force):
    assert recipes.chosen([], machine=machine, force_half=force) == (list(RECIPES), [])


def test_named_recipes_alone_are_tried_and_others_not_mentioned():
    assert recipes.chosen(["int8-dynamic", "graph-optimized"], machine=X86, force_half=False) == ([GRAPH, DYNAMIC], [])


def test_an_unknown_recipe_is_refused_with_those_there_are():
    with pytest.raises(Invalid, match=r"no variant 'int4'; the variants are graph-optimized, int8-static-per-channel"):
        recipes.chosen(["int4"], machine=X86, force_half=False)
