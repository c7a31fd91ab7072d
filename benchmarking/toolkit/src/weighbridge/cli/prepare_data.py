"""`weighbridge prepare-data`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import errors_as_exits, output


def prepare_data(  # noqa: PLR0913 -- every option of the command line
    source: Annotated[
        Path, typer.Argument(help="Table (.csv, .parquet, .jsonl), .npz, or a folder of images or .wav files.")
    ],
    out: Annotated[Path, typer.Option(help="The .npz file to write.")],
    model: Annotated[
        Path | None, typer.Option(help="ONNX file whose inputs give names, types and ranks to the columns.")
    ] = None,
    target: Annotated[
        str, typer.Option(help="Column with the truth; default y, if there is one.", show_default=False)
    ] = "",
    column: Annotated[list[str] | None, typer.Option(help="Column to keep, default all; repeatable.")] = None,
    tokenizer: Annotated[
        Path | None, typer.Option(help="Tokenizer file (tokenizer.json) for a column of text.")
    ] = None,
    text: Annotated[str, typer.Option(help="Column of text for the tokenizer.")] = "text",
    max_tokens: Annotated[int | None, typer.Option(help="Cut texts off after this number of tokens.")] = None,
    preprocess: Annotated[
        str,
        typer.Option(help="Function package.module:name that turns a row into arrays by input. Its code is run."),
    ] = "",
    resize: Annotated[str, typer.Option(help="Size of images, like 224x224 (height x width).")] = "",
    layout: Annotated[str, typer.Option(help="Dimensions of images: nchw or nhwc.")] = "nchw",
    mean: Annotated[str, typer.Option(help="Subtracted from pixels (0 to 1), one or one for each channel.")] = "0",
    deviation: Annotated[str, typer.Option(help="Pixels are divided by it, one or one for each channel.")] = "1",
    gray: Annotated[bool, typer.Option("--gray", help="Make one channel of images.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write what was prepared to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Turn a table, texts, images or sounds into a data set.

    It is an .npz file, which every measurement reads.
    """
    from weighbridge.api.data import prepare_data as prepared
    from weighbridge.measure.inputs.sources.media import ImageOptions

    with errors_as_exits(writes=(json_file, out), keeps=(out,)):
        image = ImageOptions(
            size=_size_from(resize),
            layout=layout,
            mean=_numbers_from(mean, field="mean"),
            deviation=_numbers_from(deviation, field="deviation"),
            is_gray=gray,
        )
        result = prepared(
            source,
            out,
            model=model,
            target=target,
            columns=tuple(column or ()),
            tokenizer=tokenizer,
            text=text,
            max_tokens=max_tokens,
            preprocess=preprocess,
            image=image,
        )
        output(result, json_file, is_quiet=quiet)


def _size_from(text: str) -> tuple[int, int] | None:
    from weighbridge.core.errors import Invalid

    if not text:
        return None
    height, sign, width = text.partition("x")
    if not (sign and height.isdigit() and width.isdigit()):
        raise Invalid(f"--resize takes HEIGHTxWIDTH, like 224x224, not {text!r}.", field="resize")
    return int(height), int(width)


def _numbers_from(text: str, *, field: str) -> tuple[float, ...]:
    from weighbridge.core.errors import Invalid

    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise Invalid(f"--{field} takes numbers separated by commas, not {text!r}.", field=field) from error
