"""What holds no more is closed by nobody; then the note says why."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0016_bills_may_be_generated'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='finding',
            name='closed_finding_says_when_and_by_whom',
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('closed_by__isnull', True), ('state', 'open')), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False), ('state', 'closed')), models.Q(('closed_at__isnull', False), ('state', 'closed'), models.Q(('closing_note', ''), _negated=True)), _connector='OR'), name='closed_finding_says_when_and_by_whom'),
        ),
    ]
