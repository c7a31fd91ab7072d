"""The record of past projections reads the requests that a bill is about, however many others a team has."""

from governance.bills.models import MonthSum
from reviews.evidence.queries import comparison
from reviews.evidence.queries.comparison_sources import histories_of, past_histories
from tests.factories.models import make_version
from tests.integration.governance.bills.conftest import read, send
from tests.integration.reviews.evidence.test_widening import NINE, past, pytestmark
from tests.integration.reviews.workflow.test_costs import draft_after, estimated, rules
from tests.mass_history import renewed
from tests.masses import asked

__all__ = ["draft_after", "estimated", "past", "pytestmark", "read", "rules", "send"]


def test_requests_without_a_bill_cost_nothing(decided, draft_after, past, cast, now):
    past(*NINE)

    def cost():
        with asked() as statements:
            (record,) = comparison.records_for_filing(request=draft_after, estimator=cast.reviewer_one, now=now)
        assert (record.estimator, record.calibration.cases) == ("the team Search", 9)
        return len(statements.statements), statements.rows_answered()

    few = cost()
    other = make_version(by=cast.author, now=now, slug="other-model")
    renewed(decided, count=50, state="'active'", version_id=str(other.pk))
    assert cost() == few
    assert past_histories(besides=draft_after).keys() == {decided.pk}


def test_what_is_read_of_a_past_request_is_what_all_of_it_says(decided, draft_after, past, now):
    assert past_histories(besides=draft_after) == {}
    past(*NINE)
    assert MonthSum.objects.exists()
    lean, whole = past_histories(besides=draft_after)[decided.pk], histories_of([decided])[decided.pk]
    assert (lean.authorization, list(lean.issued)) == (decided.decision.authorization, list(whole.issued))
    assert (lean.billed, lean.widened_by) == (whole.billed, whole.widened_by)
    assert comparison.YEARLY[0] in {value.name for value in lean.metric_values}
    assert {value.id for value in lean.metric_values} <= {value.id for value in whole.metric_values}
    assert past_histories(besides=decided) == {}
