"""States of a cycle and of an action item, pair by pair; when the calendar moves a cycle; who makes a quorum."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.budgets.domain.quarters import Quarter
from governance.people.domain.roles import Role
from reviews.quarterly.domain import action_items as acts
from reviews.quarterly.domain import cycle as cycles
from reviews.quarterly.domain.action_items import ActionState
from reviews.quarterly.domain.cycle import Calendar, CycleState, due_state
from reviews.quarterly.domain.quorum import Side, check_quorum, missing, sides_of
from reviews.requests.domain.transition_types import Actor
from weighbridge.core.errors import WrongState

ROAD = [("planned", "collecting"), ("collecting", "frozen"), ("frozen", "held"), ("held", "closed")]
ITEMS = {
    ("open", "acknowledged"),
    ("open", "done"),
    ("open", "dropped"),
    ("acknowledged", "done"),
    ("acknowledged", "dropped"),
}
INSTANTS = st.integers(946_684_800, 4_102_444_800).map(lambda second: datetime.fromtimestamp(second, UTC))


@pytest.mark.parametrize(("source", "target"), list(itertools.product(CycleState, CycleState)))
def test_every_pair_of_states_of_a_cycle(source: CycleState, target: CycleState) -> None:
    permitted = (str(source), str(target)) in ROAD
    if permitted:
        cycles.check_move(source=source, target=target)
        return
    with pytest.raises(WrongState) as refused:
        cycles.check_move(source=source, target=target)
    assert refused.value.reason.endswith(".")


def test_a_refusal_says_what_is_possible() -> None:
    with pytest.raises(WrongState, match=r"^This cycle is already closed\.$") as refused:
        cycles.check_move(source=CycleState.CLOSED, target=CycleState.CLOSED)
    assert refused.value.code == "already"
    with pytest.raises(WrongState, match="This cycle is closed; use an action item or the next cycle"):
        cycles.check_move(source=CycleState.CLOSED, target=CycleState.HELD)
    with pytest.raises(
        WrongState, match=r"planned cannot become held. Possible now: collect \(to collecting, by system\)"
    ):
        cycles.check_move(source=CycleState.PLANNED, target=CycleState.HELD)


@pytest.mark.parametrize(("source", "target"), list(itertools.product(ActionState, ActionState)))
def test_every_pair_of_states_of_an_action_item(source: ActionState, target: ActionState) -> None:
    permitted = (str(source), str(target)) in ITEMS
    if permitted:
        acts.check_change_to(source=source, target=target)
        return
    with pytest.raises(WrongState) as refused:
        acts.check_change_to(source=source, target=target)
    assert (refused.value.code == "closed") == (source in acts.ACTION_CLOSED)


def test_every_state_has_one_owner_and_a_meaning() -> None:
    assert all(state.owner in Actor and state.meaning for state in (*CycleState, *ActionState))
    assert CycleState.HELD.owner is Actor.CHAIR
    assert acts.action_ref("2026Q4", 3) == "ACT-2026Q4-03"


def test_the_calendar_of_a_quarter() -> None:
    assert Calendar.of(Quarter(2026, 4)) == Calendar(
        datetime(2026, 12, 18, tzinfo=UTC), datetime(2027, 1, 11, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("state", "at", "expected"),
    [
        ("planned", datetime(2026, 12, 17, 23, 59, tzinfo=UTC), None),
        ("planned", datetime(2026, 12, 18, tzinfo=UTC), "collecting"),
        ("planned", datetime(2028, 1, 1, tzinfo=UTC), "collecting"),
        ("collecting", datetime(2027, 1, 10, 23, 59, tzinfo=UTC), None),
        ("collecting", datetime(2027, 1, 11, tzinfo=UTC), "frozen"),
        ("frozen", datetime(2028, 1, 1, tzinfo=UTC), None),
        ("held", datetime(2028, 1, 1, tzinfo=UTC), None),
        ("closed", datetime(2028, 1, 1, tzinfo=UTC), None),
    ],
)
def test_time_moves_a_cycle_one_step(state: str, at: datetime, expected: str | None) -> None:
    times = Calendar.of(Quarter(2026, 4))
    moved = due_state(CycleState(state), collecting_at=times.collecting_at, cut_off_at=times.cut_off_at, now=at)
    assert moved == (CycleState(expected) if expected else None)


@given(at=INSTANTS, later=st.timedeltas(timedelta(0), timedelta(days=200)))
def test_time_never_moves_a_cycle_back_nor_past_frozen(at: datetime, later: timedelta) -> None:
    times, order = Calendar.of(Quarter.of(at)), list(CycleState)

    def reached(now: datetime) -> CycleState:
        state = CycleState.PLANNED
        while target := due_state(state, collecting_at=times.collecting_at, cut_off_at=times.cut_off_at, now=now):
            state = target
        return state

    assert order.index(reached(at)) <= order.index(reached(at + later)) <= order.index(CycleState.FROZEN)
    assert times.collecting_at < times.cut_off_at


@pytest.mark.parametrize(
    ("present", "lacking"),
    [
        ([], (Side.ENGINEERING, Side.PRODUCT)),
        ([Side.GUEST, Side.GUEST], (Side.ENGINEERING, Side.PRODUCT)),
        ([Side.ENGINEERING], (Side.PRODUCT,)),
        ([Side.PRODUCT, Side.PRODUCT], (Side.ENGINEERING,)),
        ([Side.PRODUCT, Side.ENGINEERING], ()),
    ],
)
def test_a_quorum_is_one_lead_of_each_side(present: list[Side], lacking: tuple[Side, ...]) -> None:
    assert missing(present) == lacking
    if not lacking:
        check_quorum(present)
        return
    with pytest.raises(WrongState) as refused:
        check_quorum(present)
    assert refused.value.code == "no_quorum"
    assert all(side.words in refused.value.reason for side in lacking)


def test_who_may_attend_for_which_side() -> None:
    assert {role: sorted(sides_of({role})) for role in Role} == {
        **{role: ["guest"] for role in Role},
        Role.PLATFORM_LEAD: ["engineering", "guest"],
        Role.PRODUCT_LEAD: ["guest", "product"],
    }
    assert sides_of({Role.PLATFORM_LEAD, Role.PRODUCT_LEAD}) == set(Side)
    assert sides_of(()) == {Side.GUEST}
