"""Tables of voting, and the rules that the database holds."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON voting_revision
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON voting_revision
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON voting_vote
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON voting_vote
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER append_only ON voting_revision;
DROP TRIGGER append_only_truncate ON voting_revision;
DROP TRIGGER append_only ON voting_vote;
DROP TRIGGER append_only_truncate ON voting_vote;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('absences', '0001_initial'),
        ('audit', '0001_initial'),
        ('requests', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Revision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('bundle', models.JSONField()),
                ('digest', models.CharField(max_length=71)),
                ('frozen_at', models.DateTimeField()),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='requests.reviewrequest')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'number'), name='one_revision_per_number')],
            },
        ),
        migrations.CreateModel(
            name='Vote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField()),
                ('stage', models.CharField(max_length=40)),
                ('choice', models.CharField(choices=[('approve', 'approve'), ('reject', 'reject'), ('request_changes', 'request changes')], max_length=20)),
                ('rationale', models.TextField(blank=True)),
                ('cast_at', models.DateTimeField()),
                ('absence', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='absences.absence')),
                ('in_place_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='votes', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='votes', to='requests.reviewrequest')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('request', 'revision', 'stage', 'person'), name='one_vote_per_person_revision_and_stage'), models.UniqueConstraint(fields=('request', 'revision', 'person'), name='one_person_counts_once'), models.UniqueConstraint(fields=('request', 'revision', 'in_place_of'), name='one_deputy_votes_for_a_person'), models.CheckConstraint(condition=models.Q(models.Q(('absence__isnull', True), ('in_place_of__isnull', True)), models.Q(('absence__isnull', False), ('in_place_of__isnull', False), models.Q(('in_place_of', models.F('person')), _negated=True)), _connector='OR'), name='a_deputy_votes_for_another_during_an_absence')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
