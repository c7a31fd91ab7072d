"""Closed vocabularies stored in the database; changing one needs a migration."""

from django.db.models import TextChoices

from governance.rulebook.domain.scopes import ModelTask, SubjectKind


class Tier(TextChoices):
    """Materiality: exposure times purpose."""

    T1 = "T1", "T1 · customer-facing or financial"
    T2 = "T2", "T2 · internal decision support"
    T3 = "T3", "T3 · experiment"


TASKS = [(task.value, task.value.capitalize()) for task in ModelTask]
KINDS = [(kind.value, kind.label) for kind in SubjectKind]
