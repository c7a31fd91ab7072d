"""The options shared by `profile`, `sweep` and `max-rate`, and the target that they describe."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weighbridge.cli.option_rules import Needs
from weighbridge.core.errors import Invalid

if TYPE_CHECKING:
    from weighbridge.measure.inputs.settings import InputSettings
    from weighbridge.measure.scenarios import ProfileSettings
    from weighbridge.systems.target import Target

ModelArgument = Annotated[
    Path | None,
    typer.Argument(help="Model file: .onnx, .skops, .ubj, .json or .txt.", show_default=False),
]
DataOption = Annotated[
    Path | None,
    typer.Option(help="Data set: .npz (see prepare-data), table (.csv, .parquet, .jsonl), folder of images or .wav."),
]
ThreadsOption = Annotated[int, typer.Option(help="Number of threads for the model.")]
WallOption = Annotated[float, typer.Option(help="Time limit of a run in seconds.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write the result to this file.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]
ProviderOption = Annotated[
    str,
    typer.Option(
        help="Execution provider: cpu or openvino, or with --trust cuda or tensorrt; for PyTorch modules cpu or cuda."
    ),
]
ProviderOptionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--provider-option", help="Option of the provider, NAME=VALUE, like device_id=1 (the second card); repeatable."
    ),
    Needs("--provider openvino", "--provider cuda", "--provider tensorrt"),
]
AffinityOption = Annotated[str, typer.Option(help="Pin the run to these processors, like 0,1; default: all.")]
TorchOption = Annotated[
    str, typer.Option(help="Measure a PyTorch module: package.module:factory. Its code runs without a sandbox.")
]
ShapeOption = Annotated[
    list[str] | None,
    typer.Option(help="Input shape of the PyTorch module, like n,3,224,224 or NAME=n,128:int64; repeatable."),
]
CompileOption = Annotated[
    bool, typer.Option("--compile", help="Compile the PyTorch module (torch.compile)."), Needs("--torch")
]
Bfloat16Option = Annotated[
    bool, typer.Option("--bfloat16", help="Run the PyTorch module in bfloat16."), Needs("--torch")
]
DimOption = Annotated[
    list[str] | None,
    typer.Option("--dim", help="Size of a free dimension, NAME=SIZE (NAME=rows: the number of rows); repeatable."),
]
InputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input", help="Value of an input for all queries, NAME=VALUE; LOW:HIGH draws whole numbers; repeatable."
    ),
]
StateOption = Annotated[
    list[str] | None,
    typer.Option("--state", help="Output that is an input of the next call, INPUT=OUTPUT; repeatable."),
]
OutputOption = Annotated[
    str, typer.Option("--output", help="Output to score, if the model has several."), Needs("--data")
]
ScoresOption = Annotated[
    str,
    typer.Option(help="What the scores of classes are: auto, probabilities, logits or independent."),
    Needs("--data"),
]
ThresholdOption = Annotated[
    float,
    typer.Option(help="Probability from which a row counts as class 1, for a model with a single score."),
    Needs("--data"),
]
NO_SYSTEMS: Mapping[str, Mapping[str, Any] | None] = MappingProxyType({})
MetricOption = Annotated[
    list[str] | None,
    typer.Option("--metric", help="Metric besides the usual ones, like log_loss or ece@10; repeatable."),
    Needs("--data"),
]
TrustOption = Annotated[bool, typer.Option("--trust", help="Run the model without a sandbox; required for GPUs.")]


def target_from(
    *,
    model: Path | None,
    shapes: list[str] | None = None,
    systems: "Mapping[str, Mapping[str, Any] | None]" = NO_SYSTEMS,
    data: Path | None,
    wall_s: float,
    is_trusted: bool = False,
) -> "Target":
    """Return the target that the options describe; raise Invalid unless they describe exactly one.

    `systems` has the options of each system by its name, None if it was not asked for. A system of the user may come
    with a model file.
    """
    from weighbridge.systems.registry import MODULES, system_for
    from weighbridge.systems.target import Target

    named = {name: options for name, options in systems.items() if options is not None}
    if model is not None and not named.keys() - MODULES.keys():
        named |= {system_for(model): _shapes_for(model, shapes)}
    if len(named) != 1:
        text = "Give exactly one thing to measure: a model file, --torch, --http, --grpc, --command or --system."
        raise Invalid(text, field="model")
    ((name, system_options),) = named.items()
    return Target(system=name, model=model, options=system_options, data=data, wall_s=wall_s, is_trusted=is_trusted)


def other_targets(grpc: str, command: str, system: str, options: list[str] | None) -> dict[str, dict[str, Any]]:
    """Return the systems of an address of gRPC, of a command, and of the user, as far as they were named."""
    return {
        **({"grpc": {"address": grpc}} if grpc else {}),
        **({"command": {"command": command}} if command else {}),
        **({system: dict(pairs_from(options, field="option"))} if system else {}),
    }


def http_target(
    url: str, *, body: Path | None, answer: str, header_file: Path | None, cacert: Path | None
) -> dict[str, dict[str, Any]]:
    """Return the system of an address: with a template of the body JSON of any form, else Open Inference Protocol."""
    template = {"template": body, "answer": answer or None, "header_file": header_file, "cacert": cacert}
    if not url:
        return {}
    options = {name: str(value) for name, value in template.items() if value}
    return {"http-json": {"url": url, **options}} if body is not None else {"http": {"url": url}}


def _shapes_for(model: Path, shapes: list[str] | None) -> dict[str, Any]:
    """Return the options of a model file that does not declare its inputs; raise Invalid for other files."""
    from weighbridge.systems.registry import system_for

    if not shapes:
        return {}
    if system_for(model) != "torch-program":
        text = f"--shape needs a PyTorch module; {model.name} declares its inputs, and --dim states free dimensions."
        raise Invalid(text, field="shape")
    return {"inputs": inputs_of_shapes(shapes)}


def torch_target(
    factory: str, shapes: list[str] | None, *, is_compiled: bool, is_bfloat16: bool
) -> dict[str, Any] | None:
    """Return the options of a PyTorch module, None without one."""
    if not factory:
        return None
    return {
        "factory": factory,
        "inputs": inputs_of_shapes(shapes),
        "mode": "compiled" if is_compiled else "eager",
        "dtype": "bfloat16" if is_bfloat16 else "float32",
    }


def inputs_of_shapes(texts: list[str] | None) -> list[dict[str, Any]]:
    """Parse `n,3,224,224`, or `NAME=n,128:int64` for each input, into the inputs of a PyTorch module.

    `NAME=:int64` is a single number. Raises Invalid for anything else.
    """
    inputs = []
    for text in texts or [""]:
        name, sign, rest = text.rpartition("=")
        shape, _, dtype = rest.partition(":")
        inputs.append(
            {
                "name": name if sign else "x",
                "dtype": dtype or "float32",
                "shape": shape_from(shape) if shape or not sign else [],
            }
        )
    if len({each["name"] for each in inputs}) < len(inputs):
        raise Invalid("Give each input of the module a name of its own, like --shape ids=n,128:int64.", field="shape")
    return inputs


def shape_from(text: str) -> list[int | str]:
    """Parse `n,3,224,224`; a name is a free dimension."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() or part.isidentifier() for part in parts):
        raise Invalid("Give the input shape of the module, like --shape n,3,224,224.", field="shape")
    return [int(part) if part.isdigit() else part for part in parts]


def numbers_from(text: str, *, field: str) -> tuple[int, ...]:
    """Parse `1,2,4`; raise Invalid for anything else."""
    parts = [part.strip() for part in text.split(",")] if text else []
    if not all(part.isdigit() for part in parts):
        raise Invalid(f"--{field} takes whole numbers separated by commas, like 1,2,4, not {text!r}.", field=field)
    return tuple(int(part) for part in parts)


def inputs_from(
    dims: list[str] | None, values: list[str] | None, states: list[str] | None
) -> "dict[str, dict[str, Any]]":
    """Parse what is stated about the inputs into `dims`, `inputs` and `state`; raise Invalid for several sizes."""
    sizes = sizes_from(dims)
    for name, several in sizes.items():
        if len(several) > 1:
            text = f"--dim {name} has several sizes; `weighbridge sweep` measures each of them."
            raise Invalid(text, field="dim")
    return {
        "dims": {name: size for name, (size,) in sizes.items()},
        "inputs": dict(pairs_from(values, field="input")),
        "state": dict(pairs_from(states, field="state")),
    }


def input_settings(stated: Mapping[str, Mapping[str, Any]]) -> "InputSettings":
    """Return the settings of stated inputs."""
    from weighbridge.measure.inputs.settings import InputSettings

    return InputSettings(dims=stated["dims"], values=stated["inputs"], state=stated["state"])


def sizes_from(dims: list[str] | None) -> dict[str, tuple[int, ...]]:
    """Parse `NAME=SIZE,SIZE` and `NAME=rows` into sizes by name; raise Invalid for anything else."""
    from weighbridge.measure.inputs.spec import read_dimensions

    return read_dimensions(pairs_from(dims, field="dim"))


def pairs_from(texts: list[str] | None, *, field: str) -> list[tuple[str, str]]:
    """Parse texts like `NAME=VALUE`; raise Invalid for anything else."""
    pairs = [text.partition("=") for text in texts or ()]
    if any(not name or not sign for name, sign, _ in pairs):
        raise Invalid(f"--{field.replace('_', '-')} takes NAME=VALUE.", field=field)
    return [(name, value) for name, _, value in pairs]


Run = Callable[["ProfileSettings", Callable[[float, str], None]], dict[str, Any]]


@contextmanager
def runs_of(target: "Target", *, is_quiet: bool) -> Iterator[tuple[Run, Callable[[float, str], None]]]:
    """Yield a function that measures the target, and one that reports progress."""
    from weighbridge.api.data import data_file
    from weighbridge.api.job_progress import working_folder
    from weighbridge.cli.watching import watching

    with working_folder() as folder, watching(is_quiet=is_quiet) as watcher:
        target = replace(target, data=data_file(target.data, model=target.model, folder=folder))
        yield (
            lambda settings, on_progress: target.measure(settings, follow=watcher.follow(on_progress), workdir=folder),
            watcher.on_progress,
        )
