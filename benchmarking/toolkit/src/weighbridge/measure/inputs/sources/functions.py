"""Preprocessing: a tokenizer file, or a function that the person at the terminal names."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.measure.inputs.data_set import ONLY
from weighbridge.measure.inputs.sources.rows import SourceRows
from weighbridge.systems.registry import import_named

Preprocess = Callable[[Mapping[str, Any]], Any]
# Arrays of a tokenizer by the input that models give them to, as Hugging Face names them.
TOKEN_INPUTS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}


def function_of(name: str) -> Preprocess:
    """Import `package.module:function`, which runs its code; raise Invalid if there is none."""
    module, _, attribute = name.partition(":")
    if not module or not attribute.isidentifier():
        raise Invalid(f"{name!r} is no function; write package.module:function.", field="preprocess")
    function = getattr(import_named(module, field="preprocess"), attribute, None)
    if not callable(function):
        raise Invalid(f"{module} has no function {attribute!r}.", code="module_missing", field="preprocess")
    preprocess: Preprocess = function
    return preprocess


def preprocessed(rows: SourceRows, function: Preprocess) -> SourceRows:
    """Call a function with each row, a mapping from column to value; it returns an array for each input, or one.

    Raises Invalid, with the row, for whatever the function raises, and for results of different inputs.
    """
    made: list[Mapping[str, Any]] = []
    for number, row in enumerate(rows):
        try:
            result = function(row)
        except Exception as error:
            # The code of the user may raise anything.
            text = f"The preprocessing failed in row {number + 1}: {type(error).__name__}: {error}."
            raise Invalid(text, code="preprocess_failed", field="preprocess") from error
        made.append(result if isinstance(result, Mapping) else {ONLY: result})
    if len({tuple(each) for each in made}) != 1:
        text = "The preprocessing returned other inputs for some rows than for others."
        raise Invalid(text, code="preprocess_failed", field="preprocess")
    return SourceRows({name: [each[name] for each in made] for name in made[0]}, rows.truth)


def tokenized(rows: SourceRows, *, tokenizer: Path, text: str, most: int | None) -> SourceRows:
    """Replace a column of texts by token IDs, mask and types; `most` cuts them off. Raises Invalid, ExtraMissing."""
    if text not in rows.columns:
        reason = f"There is no column {text!r} with texts; name one of {', '.join(rows.columns)} with --text."
        raise Invalid(reason, code="data_form", field="text")
    library = import_extra("tokenizers")
    try:
        loaded = library.Tokenizer.from_file(str(tokenizer))
    except Exception as error:
        # The library raises the base class.
        reason = f"{tokenizer.name} is no tokenizer file (tokenizer.json): {error}."
        raise Invalid(reason, code="tokenizer_unreadable", field="tokenizer") from error
    loaded.no_padding()
    if most is not None:
        loaded.enable_truncation(most)
    encoded = loaded.encode_batch([str(value) for value in rows.columns[text]])
    arrays = {
        name: [np.array(getattr(each, attribute), dtype=np.int64) for each in encoded]
        for name, attribute in TOKEN_INPUTS.items()
    }
    others = {name: values for name, values in rows.columns.items() if name != text}
    return SourceRows({**others, **arrays}, rows.truth, is_convertible=True)
