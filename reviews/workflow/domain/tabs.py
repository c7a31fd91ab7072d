"""The tabs of a request, and the tab on which each part of its page is."""

from enum import StrEnum


class Tab(StrEnum):
    """A tab; its value is the name of its address."""

    DECISION = "detail"
    EVIDENCE = "evidence"
    COSTS = "costs"
    BILLS = "bills"
    POLICY = "policy"
    CHECKLIST = "checklist"
    HISTORY = "history"

    @property
    def label(self) -> str:
        """The label of the tab."""
        return "Decision" if self is Tab.DECISION else self.value.capitalize()

    @property
    def segment(self) -> str:
        """What the address of the tab has after that of the request."""
        return "" if self is Tab.DECISION else f"{self.value}/"


TAB_OF_PART = {
    "metric-values": Tab.EVIDENCE,
    "studies": Tab.EVIDENCE,
    "import": Tab.EVIDENCE,
    "runs": Tab.EVIDENCE,
    "costs": Tab.COSTS,
    "budget": Tab.COSTS,
    "policy": Tab.POLICY,
    "checklist": Tab.CHECKLIST,
    "ticket": Tab.HISTORY,
    "packets": Tab.HISTORY,
    "trail": Tab.HISTORY,
}
"""The tab of each part. Parts that are not listed are on the tab of the decision."""
PREFIXES = {"item-": Tab.CHECKLIST, "run-": Tab.EVIDENCE, "study-": Tab.EVIDENCE}


def tab_of(part: str) -> Tab:
    """The tab on which the part with this anchor is."""
    by_prefix = (tab for prefix, tab in PREFIXES.items() if part.startswith(prefix))
    return TAB_OF_PART.get(part) or next(by_prefix, Tab.DECISION)
