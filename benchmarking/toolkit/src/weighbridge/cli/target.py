"""What is measured and how: the options that `profile`, `sweep` and `max-rate` share, and one run of them."""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weighbridge.core.errors import Invalid

if TYPE_CHECKING:
    from weighbridge.measure.scenarios import Engine, ProfileSettings
    from weighbridge.systems.fence import Following

WRAP_UP_S = 10.0

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
OptimisationOption = Annotated[str, typer.Option(help="ONNX Runtime's graph optimisation: none, basic, extended, all.")]
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """A model file, a PyTorch module or an endpoint, with the data it is asked and the seconds a run may take."""

    model: Path | None = None
    torch: Mapping[str, Any] | None = None
    url: str = ""
    data: Path | None = None
    wall_s: float = 600.0
    is_trusted: bool = False

    def __post_init__(self) -> None:
        """Refuse none, or several."""
        if sum((self.model is not None, self.torch is not None, bool(self.url))) != 1:
            raise Invalid("Name one thing to measure: a model file, --torch or --http.", field="model")

    def profile(self, settings: "ProfileSettings", *, follow: "Following", workdir: Path) -> dict[str, Any]:
        """Profile it, a file behind the fence unless it is trusted; raise RunEnded and Invalid."""
        from weighbridge.systems import isolated, layers
        from weighbridge.systems.limits import Limits

        limits = Limits(wall_s=self.wall_s)
        if self.model is not None and not self.is_trusted:
            if settings.engine.provider != "cpu":
                text = (
                    "Behind the fence there is no GPU. Add --trust to run this model without it, if you trust the "
                    "model."
                )
                raise Invalid(text, code="fence_hides_gpu", field="provider")
            return isolated.profile_behind(
                layers.layers_here(),
                model=self.model,
                settings=settings,
                data=self.data,
                limits=limits,
                workdir=workdir,
                follow=follow,
            )
        model = {"model": str(self.model.resolve())} if self.model is not None else {}
        target = {**model, "torch": self.torch, "url": self.url}
        return isolated.profile_open(
            target, settings=settings, data=self.data, limits=limits, workdir=workdir, follow=follow
        )

    def operators(self, settings: "ProfileSettings", *, follow: "Following", workdir: Path) -> dict[str, Any]:
        """Return `operators` of a file, or None with the reason in `missing`; raise RunCancelled."""
        from weighbridge.systems.fence import RunFailed
        from weighbridge.systems.limits import Limits
        from weighbridge.systems.operators import operators_isolated

        reason = "operators are timed of ONNX files alone."
        try:
            if self.model is not None:
                found = operators_isolated(
                    model=self.model,
                    settings=settings,
                    data=self.data,
                    limits=Limits(wall_s=self.wall_s),
                    workdir=workdir,
                    follow=follow,
                    is_trusted=self.is_trusted,
                )
                if found is not None:
                    return {"operators": found, "missing": []}
                reason = "the engine's profiler told of no operators."
        except RunFailed as failed:
            reason = failed.reason
        return {"operators": None, "missing": [{"metric": "operators", "message": reason}]}


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
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdigit() for word in words):
        raise Invalid(f"--{field} takes whole numbers with commas between them, like 1,2,4, not {text!r}.", field=field)
    return [int(word) for word in words]


def engine_from(
    *, provider: str, options: list[str] | None, optimisation: str, inter_op_threads: int, affinity: str
) -> "Engine":
    """Return how ONNX Runtime is set up; raise Invalid."""
    from weighbridge.measure.scenarios import Engine

    pairs = [option.partition("=") for option in options or ()]
    if any(not name or not sign for name, sign, _ in pairs):
        raise Invalid("Options of the provider are written NAME=VALUE.", field="provider_option")
    return Engine(
        provider=provider,
        options={name: value for name, _, value in pairs},
        optimisation=optimisation,
        inter_op_threads=inter_op_threads,
        affinity=tuple(numbers_from(affinity, field="affinity")) if affinity else (),
    )


Run = Callable[["ProfileSettings", Callable[[float, str], None]], dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Terminal:
    """One sitting at the terminal: runs of a target, followed on the screen; Ctrl-C asks them to wrap up,
    twice kills.
    """

    target: Target
    say: Callable[[float, str], None]
    is_interrupted: Callable[[], bool]
    workdir: Path

    def run(self, settings: "ProfileSettings", on_progress: Callable[[float, str], None]) -> dict[str, Any]:
        """Profile the target; raise RunEnded and Invalid."""
        return self.target.profile(settings, follow=self._follow(on_progress), workdir=self.workdir)

    def operators(self, settings: "ProfileSettings") -> dict[str, Any]:
        """Return the target's operators, or why there are none; raise RunCancelled."""
        follow = self._follow(lambda _share, _doing: self.say(1.0, "timing its operators"))
        return self.target.operators(settings, follow=follow, workdir=self.workdir)

    def _follow(self, on_progress: Callable[[float, str], None]) -> "Following":
        from weighbridge.systems.fence import Follow

        return Follow(on_progress, self.is_interrupted, WRAP_UP_S)


@contextmanager
def runs_of(target: Target, *, is_quiet: bool) -> Iterator[tuple[Run, Callable[[float, str], None]]]:
    """Yield what profiles the target, and what tells progress."""
    with sitting(target, is_quiet=is_quiet) as terminal:
        yield terminal.run, terminal.say


@contextmanager
def sitting(target: Target, *, is_quiet: bool) -> Iterator[Terminal]:
    """Yield what runs the target and follows it on standard error."""
    import tempfile

    from weighbridge.cli.interrupts import interrupts_noted
    from weighbridge.cli.tables.terminal import progress

    with (
        tempfile.TemporaryDirectory(prefix="weighbridge-") as folder,
        interrupts_noted() as is_interrupted,
        progress(sys.stderr, is_quiet=is_quiet) as say,
    ):
        yield Terminal(target, say, is_interrupted, Path(folder))
