"""`weighbridge fit`: what a language model needs, and on which accelerators it fits."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import NO, errors_as_exits, output


def fit(  # noqa: PLR0913 -- each is an option of the command line
    model: Annotated[Path, typer.Argument(help="config.json of Hugging Face, a folder with one, or a .gguf file.")],
    context: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens of a sequence, prompt and answer together; 4,096 at most if left out."),
    ] = None,
    sequences: Annotated[int, typer.Option(min=1, help="Sequences at the same time.")] = 1,
    cache_bits: Annotated[int, typer.Option(min=2, max=32, help="Bits of a value in the cache.")] = 16,
    accelerator: Annotated[
        list[str] | None, typer.Option(help="Accelerator, like h100; repeatable; all that are known if left out.")
    ] = None,
    tensor_parallel: Annotated[int, typer.Option(min=1, help="Accelerators that share each layer.")] = 1,
    measured: Annotated[
        Path | None, typer.Option(help="Result of a load test (JSON), whose times are compared with the floors.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Check on which accelerators a language model fits.

    Nothing is loaded or measured: the figures follow from the configuration and the sizes of the weights.
    Exit codes: 0 it fits on one of the accelerators, with plausible times, 1 on none, 2 bad input.
    """
    from weighbridge.api.fitting import fit as fitted

    with errors_as_exits(writes=(json_file,)):
        result = fitted(
            model,
            context=context,
            sequences=sequences,
            cache_bits=cache_bits,
            accelerators=accelerator or (),
            tensor_parallel=tensor_parallel,
            measured=measured,
        )
        output(result, json_file, is_quiet=quiet)
    if not any(each["fits"] and not each["implausible"] for each in result["accelerators"]):
        raise typer.Exit(NO)
