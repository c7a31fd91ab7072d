"""The generated lifecycle page shows every state and every step."""

from config.reference.diagram import diagram, mermaid, states_table, steps_table
from reviews.authorizations.domain import AUTHORIZATION_TRANSITIONS, AuthorizationState
from reviews.requests.domain.lifecycle import TRANSITIONS, RequestState


def test_mermaid_has_one_entry_one_arrow_per_step_and_the_ends() -> None:
    lines = mermaid(states=RequestState, table=TRANSITIONS).splitlines()
    assert lines[:3] == ["stateDiagram-v2", "    [*] --> draft", "    draft --> screening: submit (requester)"]
    assert lines[-3:] == ["    decided --> [*]", "    withdrawn --> [*]", "    expired --> [*]"]
    assert len(lines) == 2 + len(TRANSITIONS) + 3


def test_steps_table_row() -> None:
    rows = steps_table(table=TRANSITIONS).splitlines()
    assert len(rows) == 2 + len(TRANSITIONS)
    assert rows[8] == (
        "| changes requested | evidence | revise | requester | none "
        "| revision n+1 opened; the difference is shown to reviewers |"
    )


def test_states_table_row() -> None:
    rows = states_table(states=AuthorizationState).splitlines()
    assert rows[4] == "| expired | system | its time is over; the gate refuses |"


def test_page_holds_both_lifecycles() -> None:
    page = diagram()
    assert page.count("```mermaid\nstateDiagram-v2\n") == 2
    assert page.index("## Request") < page.index("## Authorization")
    for step in (*TRANSITIONS, *AUTHORIZATION_TRANSITIONS):
        assert f"    {step.source} --> {step.target}: {step.action} (" in page
