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
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='votes', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='votes', to='requests.reviewrequest')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('request', 'revision', 'stage', 'person'), name='one_vote_per_person_revision_and_stage'), models.UniqueConstraint(fields=('request', 'revision', 'person'), name='one_person_counts_once')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
