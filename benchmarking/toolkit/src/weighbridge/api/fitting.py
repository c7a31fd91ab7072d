"""`fit`: the memory of a language model, and the accelerators that it fits on."""

from collections.abc import Sequence
from pathlib import Path

from weighbridge.api.documents import PathLike, Source, read_source
from weighbridge.api.results import Result
from weighbridge.cli.tables.language.fit_table import fit_parts
from weighbridge.subjects.deployment.cards import cards_named
from weighbridge.subjects.deployment.fit_document import fit_document
from weighbridge.subjects.deployment.memory import Serving
from weighbridge.subjects.deployment.model_source import read_model


def fit(
    model: PathLike,
    *,
    context: int | None = None,
    sequences: int = 1,
    cache_bits: int = 16,
    accelerators: Sequence[str] = (),
    tensor_parallel: int = 1,
    measured: Source | None = None,
) -> Result:
    """Derive the memory of a language model from its files, and the accelerators that it fits on.

    `model` is a `config.json` of Hugging Face, a folder with one, or a GGUF file. Each of `sequences` has `context`
    tokens: 4,096 if left out, or what the model was made for if that is less. `accelerators` are names like h100; all
    that are known if left out. The need on each accelerator is weights / `tensor_parallel`, the cache at `cache_bits`
    bits in blocks of 16 tokens, and 1 GiB for activations; it fits in 90 % of the memory that the driver reports.

    `measured` is the result of a streaming load test, or its file: its median times below the floors of an accelerator
    are named there as implausible.

    The result is a `weighbridge.fit/1` document. `to_pandas()` has a row for each accelerator, with the most sequences
    and tokens, and the least time per token and to the first token by bandwidth and peak. Raises Invalid for a file
    that is no model, a key that is missing, an unknown accelerator, and a result without times.
    """
    cards = cards_named(accelerators)
    serving = Serving(tensor_parallel=tensor_parallel, cache_bits=cache_bits)
    document = fit_document(
        read_model(Path(model)),
        cards,
        serving,
        context=context,
        sequences=sequences,
        measured=None if measured is None else read_source(measured),
    )
    return Result(document, tuple(document["accelerators"]), lambda: fit_parts(document))
