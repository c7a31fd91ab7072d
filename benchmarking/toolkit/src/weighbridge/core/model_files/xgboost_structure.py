"""Validation of XGBoost models in JSON and UBJSON, as `Booster.save_model` writes them.

The format: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html. Both hold data only. Checks that the
trees are complete, not what they compute. Numbers are not read one by one, and time and memory are bounded.
"""

import re
from collections.abc import Mapping, Sequence

from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.damage import Damaged, refusing_damage
from weighbridge.core.model_files.ubjson import MOST_VALUES, outline_of_ubjson
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import DocumentLimits

MAX_JSON_BYTES = 25_000_000
_OUTLINE = DocumentLimits(bytes_max=MAX_JSON_BYTES, depth_max=30, values_max=MOST_VALUES)
_START = re.compile(rb'\{(?:\s{0,100}"|L\0{7}\x07)(?:learner|version)')
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]{1,2})?"
_NUMBERS = re.compile(rb"\[\s*+" + _NUMBER + rb"(?:\s*+,\s*+" + _NUMBER + rb")*+\s*+\]")
# The binary form of versions before 2.1: the parameters, then the names of objective and booster with their lengths.
_BINARY = re.compile(rb"binf|.{100,400}?(?:\x06\0{7}gbtree|\x08\0{7}gblinear|\x04\0{7}dart)", re.DOTALL)
_OF_TREE = ("left_children", "right_children", "parents", "split_indices", "split_conditions", "default_left")
_COUNT = re.compile(r"[0-9]{1,9}")
REMEDY = "Save the model again with Booster.save_model."


def is_xgboost(content: memoryview) -> bool:
    """Return whether the bytes start like a model of XGBoost in JSON or UBJSON."""
    return _START.match(content) is not None


def refuse_binary_xgboost(content: memoryview, *, name: str) -> None:
    """Raise Invalid if the bytes start like a model of XGBoost in its old binary form, which it no longer reads."""
    if _BINARY.match(content):
        text = (
            f"{name} is an XGBoost model in the old binary form. Load it with the version of XGBoost that wrote it, "
            "and save it as .ubj or .json with Booster.save_model."
        )
        raise Invalid(text, code="artifact_version", field="file")


def check_xgboost(content: memoryview, *, name: str) -> dict[str, object]:
    """Return booster, objective, number of features and of trees; raise Invalid unless the model is complete."""
    with refusing_damage(name, "XGBoost model", REMEDY):
        is_binary = content[1] == ord("L")
        root = _mapping({"": outline_of_ubjson(content) if is_binary else _outline_of_json(content)}, "")
        learner = _mapping(root, "learner")
        booster = _mapping(learner, "gradient_booster")
        kind = _text(booster, "name")
        return {
            "booster": kind,
            "objective": _text(_mapping(learner, "objective"), "name"),
            "features": _count(_mapping(learner, "learner_model_param"), "num_feature"),
            "trees": _trees(booster, kind),
        }


def _outline_of_json(content: memoryview) -> object:
    """Return the document, in which `[n]` stands for an array of n numbers."""
    if len(content) > MAX_JSON_BYTES:
        raise Damaged(f"it is larger than {MAX_JSON_BYTES:,} bytes; save it as .ubj")
    text = bytes(content)
    if text.count(b"[") > MOST_VALUES:
        raise Damaged("it has too many parts to be validated")
    outline = _NUMBERS.sub(lambda array: b"[%d]" % (array[0].count(b",") + 1), text)
    try:
        return parse_json(outline, name="it", limits=_OUTLINE)
    except Invalid as error:
        raise Damaged(error.reason.rstrip(".")) from error


def _trees(booster: Mapping[str, object], kind: str) -> int:
    """Return the number of trees, each complete; 0 for a linear model."""
    if kind == "gblinear":
        _length(_mapping(booster, "model"), "weights")
        return 0
    if kind not in ("gbtree", "dart"):
        raise Damaged(f"its booster {kind[:80]!r} is not known")
    model = _mapping(_mapping(booster, "gbtree") if kind == "dart" else booster, "model")
    count, trees = _count(_mapping(model, "gbtree_model_param"), "num_trees"), model.get("trees")
    if not isinstance(trees, list) or len(trees) != count:
        raise Damaged("it does not have as many trees as it says")
    for tree in trees:
        _check_tree(_mapping({"trees": tree}, "trees"))
    return count


def _check_tree(tree: Mapping[str, object]) -> None:
    nodes = _count(_mapping(tree, "tree_param"), "num_nodes")
    if not nodes or any(_length(tree, name) != nodes for name in _OF_TREE):
        raise Damaged("a tree in it does not have as many nodes as it says")


def _mapping(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = document.get(key)
    if not isinstance(value, Mapping):
        raise Damaged(f"it has no {key}")
    return value


def _text(document: Mapping[str, object], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or len(value) > 200:
        raise Damaged(f"it has no {key}")
    return value


def _count(document: Mapping[str, object], key: str) -> int:
    value = _text(document, key)
    if not _COUNT.fullmatch(value):
        raise Damaged(f"its {key} is not a number")
    return int(value)


def _length(document: Mapping[str, object], key: str) -> int:
    """Return the length of an array of numbers."""
    value = document.get(key)
    if not isinstance(value, Sequence) or len(value) > 1 or not all(type(each) is int for each in value):
        raise Damaged(f"its {key} are not numbers")
    return value[0] if value else 0
