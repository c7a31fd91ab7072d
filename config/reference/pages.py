"""One function for each generated page; it returns the text. Heavy imports are delayed until they are needed."""

import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from config import env
from config.reference import diagram
from config.reference.cost_spec import cost_spec
from config.reference.performance import performance
from config.reference.structure import PACKAGES, purpose, structure
from config.reference.tables import code, page, table
from governance.people.domain.roles import Role
from reviews.authorizations.domain import AUTHORIZATION_TRANSITIONS, AuthorizationState
from reviews.quarterly.domain.action_items import ACTION_TRANSITIONS, ActionState
from reviews.quarterly.domain.cycle import CYCLE_TRANSITIONS, CycleState
from reviews.requests.domain.lifecycle import TRANSITIONS, RequestState
from reviews.requests.domain.steps import Transition
from weighbridge.charts.drawing import svg
from weighbridge.charts.steps import steps_chart
from weighbridge.core.catalog import CATALOG
from weighbridge.core.metrics import Basis


def settings() -> str:
    """Every environment variable."""
    rows = ((code(v.name), v.kind, v.default or "none", v.meaning) for v in env.VARIABLES)
    return page(
        "Settings",
        "All settings are environment variables; `config/env.py` is the only place that reads them. With"
        " none set, everything runs on this machine: database, broker and files under `var/`.",
        table(("Variable", "Type", "Default", "Meaning"), rows),
    )


def metrics() -> str:
    """The metric catalog and the bases."""
    rows = ((code(kind.name), kind.unit, kind.direction, kind.meaning) for kind in CATALOG.values())
    return page(
        "Metrics",
        "A metric has a name, a unit and a better direction. Every value of a metric has a basis, unit, interval,"
        " sample size, source and time. Policy rules and checklists name metrics by these names.",
        table(("Name", "Unit", "Better", "Meaning"), rows),
        "## Bases",
        "From weakest to strongest; the strongest metric value counts: "
        + " < ".join(code(basis) for basis in Basis)
        + ".",
    )


def roles() -> str:
    """One paragraph for each role."""
    parts = [part for role in Role for part in (f"## {role.replace('_', ' ').capitalize()}", role.description)]
    return page("Roles", "A person may have several roles; separation of duties applies to all of them.", *parts)


def lifecycle() -> str:
    """States and steps of a request and of an authorization."""
    return page(
        "Lifecycle",
        "A request ends with a decision; the authorization that it produced stays valid until it expires; every quarter"
        " a review cycle checks both. The transitions are tables in `reviews/requests/domain/lifecycle.py`,"
        " `reviews/authorizations/domain.py` and `reviews/quarterly/domain/`, and this page is generated from them.",
        "In the diagrams each column is a step: a dot marks each source state, an arrow the target state. Bold states"
        " are final.",
        "## Request",
        "![States of a request and the steps between them](lifecycle-request.svg)",
        diagram.states_table(states=RequestState).strip(),
        diagram.steps_table(table=TRANSITIONS).strip(),
        "## Authorization",
        "![States of an authorization and the steps between them](lifecycle-authorization.svg)",
        diagram.states_table(states=AuthorizationState).strip(),
        diagram.steps_table(table=AUTHORIZATION_TRANSITIONS).strip(),
        "## Quarterly review cycle",
        "One cycle for each quarter. The tick plans, opens and freezes it; people run and close the meeting.",
        "![States of a review cycle and the steps between them](lifecycle-cycle.svg)",
        diagram.states_table(states=CycleState).strip(),
        diagram.steps_table(table=CYCLE_TRANSITIONS).strip(),
        "## Action item",
        "Each decision of the quarterly meeting becomes an action item. A closed item never reopens; if the matter"
        " recurs, the next meeting decides again.",
        "![States of an action item and the steps between them](lifecycle-action.svg)",
        diagram.states_table(states=ActionState).strip(),
        diagram.steps_table(table=ACTION_TRANSITIONS).strip(),
        "## As Mermaid text",
        "For a ticket or a wiki that renders Mermaid:",
        f"```text\n{diagram.mermaid(states=RequestState, table=TRANSITIONS)}```",
    )


def request_picture() -> str:
    """SVG of the request's lifecycle."""
    return _picture("States of a request", tuple(RequestState), TRANSITIONS)


def authorization_picture() -> str:
    """SVG of the authorization's lifecycle."""
    return _picture("States of an authorization", tuple(AuthorizationState), AUTHORIZATION_TRANSITIONS)


def cycle_picture() -> str:
    """SVG of the lifecycle of a quarterly review cycle."""
    return _picture("States of a review cycle", tuple(CycleState), CYCLE_TRANSITIONS)


def action_picture() -> str:
    """SVG of the lifecycle of an action item."""
    return _picture("States of an action item", tuple(ActionState), ACTION_TRANSITIONS)


def _picture(title: str, states: Sequence[str], steps: Sequence[Transition[Any]]) -> str:
    named = [(str(step.source), str(step.target), step.action) for step in steps]
    return svg(steps_chart([str(state) for state in states], named, title=title)) + "\n"


def commands() -> str:
    """The help texts of `weighbridge`, and the `manage.py` commands for operators."""
    import typer.main  # noqa: PLC0415 -- slow import

    from weighbridge.cli.app import app  # noqa: PLC0415 -- slow import

    helps = [part for name, text in _helps(typer.main.get_command(app), "weighbridge") for part in (name, text)]
    operators = table(("Command", "What it does"), _operator_commands())
    return page("Commands", *helps, "## For operators", operators)


def _helps(command: Any, path: str) -> Iterator[tuple[str, str]]:
    context = command.context_class(command, info_name=path, terminal_width=100, max_content_width=100)
    yield f"## {path}", f"```text\n{command.get_help(context).strip()}\n```"
    for name, inner in getattr(command, "commands", {}).items():
        yield from _helps(inner, f"{path} {name}")


def _operator_commands() -> Iterator[tuple[str, str]]:
    files = (path for app in PACKAGES for path in (env.ROOT / app).glob("*/management/commands/[a-z]*.py"))
    for path in sorted(files, key=lambda path: path.stem):
        yield code(f"manage.py {path.stem}"), purpose(path)


def prices() -> str:
    """All shipped prices except those of managed models, with date and source."""
    from config.reference.prices import prices_page  # noqa: PLC0415 -- slow import

    return prices_page()


def openapi() -> str:
    """The schema of the HTTP API. It sets up Django, so it is generated last."""
    import django  # noqa: PLC0415 -- the other pages do not need Django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 -- the other pages do not need Django

    written = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=written)
    return "# Generated by `make docs`; change the code, not this file.\n" + written.getvalue()


PAGES: Mapping[str, Callable[[], str]] = {
    "cost-spec.md": cost_spec,
    "structure.md": structure,
    "settings.md": settings,
    "metrics.md": metrics,
    "roles.md": roles,
    "lifecycle.md": lifecycle,
    "lifecycle-request.svg": request_picture,
    "lifecycle-authorization.svg": authorization_picture,
    "lifecycle-cycle.svg": cycle_picture,
    "lifecycle-action.svg": action_picture,
    "commands.md": commands,
    "prices.md": prices,
    "performance.md": performance,
    "openapi.yaml": openapi,
}
SLOW = frozenset({"openapi.yaml"})
"""Pages that need Django. `make check` compares them, the unit tests do not."""
