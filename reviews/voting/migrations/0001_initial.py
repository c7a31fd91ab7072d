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
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON voting_votewithdrawal
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON voting_votewithdrawal
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();

-- Both take the lock of the request first, so that what they read stays true until the row is there.
CREATE FUNCTION weighbridge_one_person_counts_once() RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM 1 FROM requests_reviewrequest WHERE id = NEW.request_id FOR UPDATE;
  IF EXISTS (SELECT 1 FROM voting_vote vote
      WHERE vote.request_id = NEW.request_id AND vote.revision = NEW.revision
      AND (vote.person_id = NEW.person_id OR vote.in_place_of_id = NEW.in_place_of_id)
      AND NOT EXISTS (SELECT 1 FROM voting_votewithdrawal withdrawal WHERE withdrawal.vote_id = vote.id)) THEN
    RAISE EXCEPTION 'one_person_counts_once: a vote on this revision stands'
      USING ERRCODE = 'unique_violation', CONSTRAINT = 'one_person_counts_once';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION weighbridge_vote_in_review() RETURNS trigger
 LANGUAGE plpgsql
AS $$
DECLARE
  own voting_vote%ROWTYPE;
BEGIN
  SELECT * INTO own FROM voting_vote WHERE id = NEW.vote_id;
  PERFORM 1 FROM requests_reviewrequest WHERE id = own.request_id FOR UPDATE;
  IF NOT EXISTS (SELECT 1 FROM requests_reviewrequest request
      WHERE request.id = own.request_id AND request.revision = own.revision AND request.state = 'in_review') THEN
    RAISE EXCEPTION 'a vote is taken back while its revision is in review' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER one_person_counts_once BEFORE INSERT ON voting_vote
  FOR EACH ROW EXECUTE FUNCTION weighbridge_one_person_counts_once();
CREATE TRIGGER vote_in_review BEFORE INSERT ON voting_votewithdrawal
  FOR EACH ROW EXECUTE FUNCTION weighbridge_vote_in_review();
"""
FORGET = """
DROP TRIGGER append_only ON voting_revision;
DROP TRIGGER append_only_truncate ON voting_revision;
DROP TRIGGER append_only ON voting_vote;
DROP TRIGGER append_only_truncate ON voting_vote;
DROP TRIGGER append_only ON voting_votewithdrawal;
DROP TRIGGER append_only_truncate ON voting_votewithdrawal;
DROP TRIGGER one_person_counts_once ON voting_vote;
DROP TRIGGER vote_in_review ON voting_votewithdrawal;
DROP FUNCTION weighbridge_one_person_counts_once();
DROP FUNCTION weighbridge_vote_in_review();
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
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('absence__isnull', True), ('in_place_of__isnull', True)), models.Q(('absence__isnull', False), ('in_place_of__isnull', False), models.Q(('in_place_of', models.F('person')), _negated=True)), _connector='OR'), name='a_deputy_votes_for_another_during_an_absence')],
            },
        ),
        migrations.CreateModel(
            name='VoteWithdrawal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.TextField()),
                ('taken_back_at', models.DateTimeField()),
                ('vote', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='withdrawal', to='voting.vote')),
            ],
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
