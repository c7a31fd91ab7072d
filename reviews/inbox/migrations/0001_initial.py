"""The table of reminders, and the rules that the database holds."""

import django.db.models.deletion
import reviews.inbox.domain
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON inbox_reminder
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON inbox_reminder
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER append_only ON inbox_reminder;
DROP TRIGGER append_only_truncate ON inbox_reminder;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        ('approvals', '0001_initial'),
        ('requests', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Reminder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('vote', 'vote'), ('answer', 'answer'), ('clearance', 'clearance'), ('authorization', 'authorization'), ('change', 'change')], max_length=15)),
                ('due_at', models.DateTimeField()),
                ('days_before', models.PositiveSmallIntegerField(null=True)),
                ('made_at', models.DateTimeField()),
                ('change', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.change')),
                ('in_place_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='requests.reviewrequest')),
            ],
            options={
                'ordering': ['due_at', 'pk'],
                'indexes': [models.Index(fields=['person', 'due_at'], name='inbox_remin_person__13ff2d_idx')],
                'constraints': [models.UniqueConstraint(models.F('kind'), models.F('request'), models.F('change'), models.F('person'), models.F('due_at'), models.F('days_before'), name='each_reminder_is_made_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('change__isnull', False), ('kind', reviews.inbox.domain.ReminderKind['CHANGE']), ('request__isnull', True)), models.Q(('change__isnull', True), ('request__isnull', False), models.Q(('kind', reviews.inbox.domain.ReminderKind['CHANGE']), _negated=True)), _connector='OR'), name='reminder_is_about_one_thing')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
