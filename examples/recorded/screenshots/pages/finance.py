"""Pages of finance, who allocates budgets and imports bills."""

from examples.recorded.screenshots.pages.page import PageGroup, PicturedPage, at
from governance.bills.models import BillSlice


def _bill(page: str = "bill", part: str = "") -> str:
    """The bill with the most lines that count."""
    most = BillSlice.objects.filter(is_current=True).order_by("-lines_count", "pk")[0]
    return at(f"governance:{page}", most.bill_id, part=part)()


FINANCE = PageGroup(
    "finance",
    "Finance",
    "Finance allocates budgets and imports bills. Here it is Fay Finance.",
    (
        PicturedPage(
            name="budgets",
            title="Budgets",
            words="The budget of each part of the organization: what is committed, reserved and available.",
            alt="Meters of money and GPU hours for the organization, a unit and its teams, and the form that allocates",
            person="finance",
            address=at("governance:budgets"),
        ),
        PicturedPage(
            name="bill",
            title="Bill",
            words="A bill shows what was read of it, which team pays for what, and which bill replaced it.",
            alt="A bill with the numbers of its rows, its allocation to teams and its charges",
            person="finance",
            address=_bill,
        ),
        PicturedPage(
            name="spend-of-a-bill",
            title="Spend of a bill",
            words="The spend of one bill by service; each row opens the next property, down to the lines.",
            alt="The costs of one bill by service, with a link in each row",
            person="finance",
            address=lambda: _bill("bill_spend"),
        ),
        PicturedPage(
            name="lines-of-a-bill",
            title="Lines of a bill",
            words="The lines themselves, each with the rule that allocated it.",
            alt="The lines of a bill with day, resource, team and cost",
            person="finance",
            address=lambda: _bill("bill_spend", "?by=lines"),
        ),
        PicturedPage(
            name="spend",
            title="Spend",
            words="The spend of a month by team and model; amounts that no rule allocates are shown.",
            alt="Totals of September 2026 and a table by team and model",
            person="finance",
            address=at("governance:spend"),
        ),
    ),
)
