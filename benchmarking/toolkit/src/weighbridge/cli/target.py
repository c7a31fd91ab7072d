"""What is measured and how: the options that `profile`, `sweep` and `max-rate` share, and one run of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weighbridge.core.errors import Invalid

if TYPE_CHECKING:
    from weighbridge.measure.scenarios import ProfileSettings
    from weighbridge.systems.target import Target

ModelArgument = Annotated[Path | None, typer.Argument(help="The model, an ONNX file.", show_default=False)]
DataOption = Annotated[Path | None, typer.Option(help="Data set, .npz with x (rows, ...) and y (rows,).")]
ThreadsOption = Annotated[int, typer.Option(help="Threads the model may use.")]
WallOption = Annotated[float, typer.Option(help="Seconds after which a run is stopped.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write the result to this file.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
ProviderOption = Annotated[str, typer.Option(help="ONNX Runtime's provider: cpu, cuda or tensorrt (with --trust).")]
ProviderOptionsOption = Annotated[
    list[str] | None, typer.Option("--provider-option", help="NAME=VALUE for the provider.")
]
OptimizationOption = Annotated[str, typer.Option(help="ONNX Runtime's graph optimization: none, basic, extended, all.")]
InterOption = Annotated[int, typer.Option("--inter-op-threads", help="Threads between operators; 1 is sequential.")]
AffinityOption = Annotated[str, typer.Option(help="Processors to stay on, like 0,1; all of them when left out.")]
TorchOption = Annotated[
    str, typer.Option(help="PyTorch module instead: package.module:factory. Its code is run unfenced.")
]
ShapeOption = Annotated[str, typer.Option(help="Shape of that module's input, like n,3,224,224.")]
CompileOption = Annotated[bool, typer.Option("--compile", help="Compile that module (torch.compile).")]
Bfloat16Option = Annotated[bool, typer.Option("--bfloat16", help="Run that module in bfloat16.")]
HttpOption = Annotated[
    str, typer.Option(help="Model behind HTTP instead (Open Inference Protocol): http://.../v2/models/NAME.")
]
TrustOption = Annotated[bool, typer.Option("--trust", help="Run the model without a fence; GPUs are only seen so.")]


SystemOption = Annotated[
    str, typer.Option(help="Another system under test: its name, or package.module:name. Its code is run unfenced.")
]
OptionOption = Annotated[list[str] | None, typer.Option("--option", help="NAME=VALUE for that system; more than one.")]


def target_from(
    *,
    model: Path | None,
    torch: "Mapping[str, Any] | None" = None,
    http: str = "",
    system: str = "",
    options: list[str] | None = None,
    data: Path | None,
    wall_s: float,
    is_trusted: bool = False,
) -> "Target":
    """Return the one target that the options name; raise Invalid for none, or several."""
    from weighbridge.systems.target import Target

    named: dict[str, Mapping[str, Any]] = {
        **({"torch": torch} if torch is not None else {}),
        **({"http": {"url": http}} if http else {}),
        **({system: dict(pairs_from(options, field="option"))} if system else {}),
        **({"onnx": {}} if model is not None and not system else {}),
    }
    if len(named) != 1:
        raise Invalid("Name one thing to measure: a model file, --torch, --http or --system.", field="model")
    ((name, its_options),) = named.items()
    return Target(system=name, model=model, options=its_options, data=data, wall_s=wall_s, is_trusted=is_trusted)


def torch_target(factory: str, shape: str, *, is_compiled: bool, is_bfloat16: bool) -> dict[str, Any] | None:
    """Return what a PyTorch module is described by, None where none is named; raise Invalid for a shape that is none.

    Options that speak of such a module alone are refused without one.
    """
    if not factory:
        asked = {"shape": bool(shape), "compile": is_compiled, "bfloat16": is_bfloat16}
        for field in (name for name, is_given in asked.items() if is_given):
            raise Invalid(f"--{field} is of PyTorch modules; give --torch package.module:factory with it.", field=field)
        return None
    return {
        "factory": factory,
        "shape": shape_from(shape),
        "mode": "compiled" if is_compiled else "eager",
        "dtype": "bfloat16" if is_bfloat16 else "float32",
    }


def shape_from(text: str) -> list[int]:
    """Read `n,3,224,224`; a word is a free dimension, written 0."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdigit() or word.isidentifier() for word in words):
        raise Invalid("Give the shape of the module's input: --shape n,3,224,224.", field="shape")
    return [int(word) if word.isdigit() else 0 for word in words]


def numbers_from(text: str, *, field: str) -> list[int]:
    """Read `1,2,4`; raise Invalid for anything else."""
    words = [word.strip() for word in text.split(",")] if text else []
    if not all(word.isdigit() for word in words):
        raise Invalid(f"--{field} takes whole numbers with commas between them, like 1,2,4, not {text!r}.", field=field)
    return [int(word) for word in words]


def pairs_from(texts: list[str] | None, *, field: str) -> list[tuple[str, str]]:
    """Read `NAME=VALUE`, more than one; raise Invalid for anything else."""
    pairs = [text.partition("=") for text in texts or ()]
    if any(not name or not sign for name, sign, _ in pairs):
        raise Invalid(f"--{field.replace('_', '-')} is written NAME=VALUE.", field=field)
    return [(name, value) for name, _, value in pairs]


Run = Callable[["ProfileSettings", Callable[[float, str], None]], dict[str, Any]]


@contextmanager
def runs_of(target: "Target", *, is_quiet: bool) -> Iterator[tuple[Run, Callable[[float, str], None]]]:
    """Yield what measures the target, and what tells progress."""
    from weighbridge.api.following import working_folder
    from weighbridge.cli.watching import watching

    with working_folder() as folder, watching(is_quiet=is_quiet) as watcher:
        yield (
            lambda settings, on_progress: target.measure(settings, follow=watcher.follow(on_progress), workdir=folder),
            watcher.on_progress,
        )
