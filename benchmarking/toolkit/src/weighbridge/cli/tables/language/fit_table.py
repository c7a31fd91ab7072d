"""The tables of what a language model needs, and on which accelerators it fits."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.terminal import note_lines, number, table_of

if TYPE_CHECKING:
    from rich.table import Table

GIB = 2**30


def fit_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the architecture, the need, a row for each accelerator, and what a reader must know."""
    model, serving = document["model"], document["serving"]
    yield table_of(
        f"{model['name']}: {model['family']}, from {model['source']}",
        ("property", "value"),
        _properties(document),
        text_columns=("property",),
        show_header=False,
    )
    each = f" on each of {serving['tensor_parallel']} accelerators" if serving["tensor_parallel"] > 1 else ""
    yield (
        f"need{each}: {document['need_bytes'] / GIB:,.2f} GiB for {serving['sequences']:,} x "
        f"{serving['context_tokens']:,} tokens, cache of {serving['cache_bits']} bits; at most "
        f"{serving['usable_share']:.0%} of the memory is used"
    )
    headings = ("accelerator", "memory GiB", "fits", "most sequences", "most tokens", "TPOT floor ms", "TTFT floor ms")
    yield table_of("Fits on", headings, map(_row, document["accelerators"]), text_columns=("accelerator", "fits"))
    for card in document["accelerators"]:
        for each in card["implausible"]:
            yield (
                f"implausible on {card['label']}: {each['metric']} is at most {number(each['at_most_ms'])} ms, "
                f"its floor {number(each['floor_ms'])} ms"
            )
    yield from note_lines(document)


def _properties(document: Mapping[str, Any]) -> Iterator[list[str]]:
    model, metrics = document["model"], document["metrics"]
    yield ["layers", f"{model['layers']:,}"]
    for cache in model["caches"]:
        kept = "all tokens" if cache["window"] is None else f"the last {cache['window']:,} tokens"
        heads = "latent" if cache["is_latent"] else f"{cache['heads']} heads"
        widths = f"{cache['key_width']} + {cache['value_width']}"
        yield [f"  caches of {cache['layers']:,}", f"{heads}, {widths} wide, {kept}"]
    yield ["context", _whole(model["context_tokens"])]
    yield ["parameters", _whole(model["parameters_total"])]
    if model["parameters_active"] != model["parameters_total"]:
        yield ["  of which active", _whole(model["parameters_active"])]
    yield ["weights, bytes", f"{model['weights_bytes']:,} ({model['weights_source']})"]
    yield ["cache per token, bytes", _whole(metrics["kv_bytes_per_token"]["value"])]
    if metrics["kv_bytes_of_windows"]["value"]:
        yield ["cache of windows, bytes", _whole(metrics["kv_bytes_of_windows"]["value"])]
    if model["license"]:
        yield ["license", model["license"]]
    if model["chat_template"]:
        yield ["chat template", model["chat_template"]]


def _row(card: Mapping[str, Any]) -> list[str]:
    return [
        card["label"],
        f"{card['memory_bytes'] / GIB:,.2f}",
        "yes" if card["fits"] else "no",
        f"{card['most_sequences']:,}",
        "no limit" if card["most_tokens"] is None else f"{card['most_tokens']:,}",
        number(card["tpot_floor_ms"]),
        number(card["ttft_floor_ms"]),
    ]


def _whole(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
