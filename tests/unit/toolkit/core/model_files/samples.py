"""Model files as their own libraries write them, and ways to damage and inspect them."""

import base64
import io
import tempfile
import warnings
import zlib
from functools import cache
from pathlib import Path

import lightgbm
import numpy as np
import pytest
import skops.io
import xgboost
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import FunctionTransformer

from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.inspection import inspect

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 5))
Y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(np.int64)

# Written by GGUFWriter of the package gguf 0.19.0: an architecture, a name, numbers, a flag, three tokens with scores,
# and three tensors, of F32 (4 x 3), F16 (5 x 2) and Q8_0 (32 x 2).
RECORDED_GGUF = zlib.decompress(
    base64.b85decode(
        "c-nJ!4|QW^U|;}Y5MYPWB2YR#H7~U&F-I@4C^;juBsICDv?!GWD9#F%&&f&5P2@pSoR^pjR>T4oFUicS6hzjbmz0yA"
        "oE@K>Uz%3}Qp5<vqA<nz*{OM%RjEaK>FK#SdSGrbCs2X|$(f8$IuXW5VuCUbuf$<cadLi9D%c=4B!eKJVLt<d!T}B_"
        "FTXrbFD)lA9TXOfg6IK}lbN2En+kEa0uT!#TNj_2o0Otgo|>7SQNn~20;twO058nC(vpJG5+qHquw_E>tOJxS4D)YJ"
        "ww{4rVo6C}d?Aun1vIT7FC{P#1P%5OD;$8h0f-j>@c|%y0J7GRfk6O>6@b{l5kspD7Kj8m6dGGQdnZnvId|dGm1{R{"
        "-MRPBu~X+RUAuMf(X&_YK7IT3k3)fpjf+o6OiE5kO-s+n%*xK$-P=DnJUTu(Jv+a+yt*Er%K@)#b`$"
    )
)


def info(content, *, name="model"):
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return inspect(Path(file.name), name=name)


def refusal_of(content, *, name="model"):
    with pytest.raises(Invalid) as refusal:
        info(content, name=name)
    assert refusal.value.field == "file"
    assert refusal.value.reason.endswith(".")
    return refusal.value


@cache
def forest_bytes():
    forest = RandomForestClassifier(3, max_depth=3, random_state=1).fit(X, Y)
    return skops.io.dumps(forest)


@cache
def sparse_bytes(compression=0):
    """A mapping with a sparse matrix, bytes, a function and an array of texts."""
    from scipy import sparse

    held = {"weights": sparse.csr_matrix(np.eye(3)), "raw": b"abc", "words": np.array(["a", "bc"])}
    held["function"] = FunctionTransformer(np.log)
    buffer = io.BytesIO()
    skops.io.dump(held, buffer, compression=compression)
    return buffer.getvalue()


@cache
def xgboost_bytes(suffix="ubj", booster="gbtree"):
    model = xgboost.train({"booster": booster}, xgboost.DMatrix(X, Y), 3)
    return bytes(model.save_raw(suffix))


@cache
def lightgbm_text():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parameters = {"objective": "binary", "verbose": -1, "num_leaves": 4, "min_data_in_leaf": 5}
        return lightgbm.train(parameters, lightgbm.Dataset(X, Y), 3).model_to_string()


def lightgbm_bytes():
    return lightgbm_text().encode()


def gguf_bytes():
    return RECORDED_GGUF


@st.composite
def mutations(draw, original):
    """The bytes of a file with up to four changes: a byte, a cut, bytes put in, an end cut off, a part twice."""
    content = bytearray(original())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        match draw(st.sampled_from(["flip", "cut", "insert", "end", "repeat"])):
            case "flip" if content:
                content[at] ^= draw(st.integers(1, 255))
            case "cut":
                del content[at : at + draw(st.integers(1, 8))]
            case "insert":
                content[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "end":
                del content[at:]
            case _:
                content += content[at:]
    return bytes(content)


def verdict(content):
    """Return the format, or None when the file is refused with a sentence; anything else that is raised fails."""
    try:
        return info(content).format
    except Invalid as refusal:
        return None if refusal.reason.endswith(".") else "a refusal without a sentence"
