"""Tables of discussions, and the rules that the database holds."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


APPEND_ONLY = ("thread", "comment", "commenttext", "commentwithdrawal", "resolution", "mention")
RULES = "".join(
    f"""
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON discussions_{name}
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON discussions_{name}
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
    for name in APPEND_ONLY
)
FORGET = "".join(
    f"""
DROP TRIGGER append_only ON discussions_{name};
DROP TRIGGER append_only_truncate ON discussions_{name};
"""
    for name in APPEND_ONLY
)
# Each takes the lock of the thread first, so that what it reads stays true until the row is there.
GUARDS = """
CREATE FUNCTION weighbridge_comment_of_its_revision() RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM 1 FROM discussions_thread WHERE id = NEW.thread_id FOR UPDATE;
  IF NEW.revision IS DISTINCT FROM (
      SELECT request.revision FROM discussions_thread thread
      LEFT JOIN requests_reviewrequest request ON request.id = thread.request_id WHERE thread.id = NEW.thread_id) THEN
    RAISE EXCEPTION 'a comment belongs to the present revision of its request' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION weighbridge_text_of_its_author() RETURNS trigger
 LANGUAGE plpgsql
AS $$
DECLARE
  own discussions_comment%ROWTYPE;
BEGIN
  SELECT * INTO own FROM discussions_comment WHERE id = NEW.comment_id;
  PERFORM 1 FROM discussions_thread WHERE id = own.thread_id FOR UPDATE;
  IF NEW.number <> 1 + (SELECT count(*) FROM discussions_commenttext WHERE comment_id = NEW.comment_id) THEN
    RAISE EXCEPTION 'the texts of a comment are numbered in order' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.number > 1 AND (
      NEW.written_at > own.written_at + interval '15 minutes'
      OR EXISTS (SELECT 1 FROM discussions_commentwithdrawal WHERE comment_id = own.id)
      OR EXISTS (SELECT 1 FROM discussions_comment later
        WHERE later.thread_id = own.thread_id AND later.id > own.id AND later.author_id <> own.author_id)) THEN
    RAISE EXCEPTION 'a comment is changed within 15 minutes and before an answer' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION weighbridge_resolutions_in_order() RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM 1 FROM discussions_thread WHERE id = NEW.thread_id FOR UPDATE;
  IF NEW.number <> 1 + (SELECT count(*) FROM discussions_resolution WHERE thread_id = NEW.thread_id) THEN
    RAISE EXCEPTION 'a thread is resolved and reopened in turn' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER comment_of_its_revision BEFORE INSERT ON discussions_comment
  FOR EACH ROW EXECUTE FUNCTION weighbridge_comment_of_its_revision();
CREATE TRIGGER text_of_its_author BEFORE INSERT ON discussions_commenttext
  FOR EACH ROW EXECUTE FUNCTION weighbridge_text_of_its_author();
CREATE TRIGGER resolutions_in_order BEFORE INSERT ON discussions_resolution
  FOR EACH ROW EXECUTE FUNCTION weighbridge_resolutions_in_order();
"""
UNGUARDED = """
DROP TRIGGER comment_of_its_revision ON discussions_comment;
DROP TRIGGER text_of_its_author ON discussions_commenttext;
DROP TRIGGER resolutions_in_order ON discussions_resolution;
DROP FUNCTION weighbridge_comment_of_its_revision();
DROP FUNCTION weighbridge_text_of_its_author();
DROP FUNCTION weighbridge_resolutions_in_order();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        ('findings', '0001_initial'),
        ('quarterly', '0001_initial'),
        ('requests', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Comment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField(null=True)),
                ('written_at', models.DateTimeField()),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='CommentWithdrawal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('withdrawn_at', models.DateTimeField()),
                ('comment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='withdrawal', to='discussions.comment')),
            ],
        ),
        migrations.CreateModel(
            name='Thread',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.CharField(blank=True, choices=[('', 'whole'), ('metric', 'metric'), ('item', 'item')], max_length=10)),
                ('name', models.CharField(blank=True, max_length=80)),
                ('opened_at', models.DateTimeField()),
                ('agenda_item', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='threads', to='quarterly.agendaitem')),
                ('finding', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='threads', to='findings.finding')),
                ('request', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='threads', to='requests.reviewrequest')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Resolution',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('is_resolved', models.BooleanField()),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('thread', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='resolutions', to='discussions.thread')),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.AddField(
            model_name='comment',
            name='thread',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='discussions.thread'),
        ),
        migrations.CreateModel(
            name='CommentText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('text', models.TextField()),
                ('written_at', models.DateTimeField()),
                ('comment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='texts', to='discussions.comment')),
            ],
            options={
                'ordering': ['number'],
                'constraints': [models.UniqueConstraint(fields=('comment', 'number'), name='one_text_per_number')],
            },
        ),
        migrations.CreateModel(
            name='Mention',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mentioned_at', models.DateTimeField()),
                ('comment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mentions', to='discussions.comment')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mentions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('comment', 'person'), name='one_mention_per_person')],
            },
        ),
        migrations.AddConstraint(
            model_name='thread',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('agenda_item__isnull', True), ('finding__isnull', True), ('request__isnull', False)), models.Q(('agenda_item__isnull', True), ('finding__isnull', False), ('request__isnull', True)), models.Q(('agenda_item__isnull', False), ('finding__isnull', True), ('request__isnull', True)), _connector='OR'), name='thread_on_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='thread',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('name', ''), ('part', '')), models.Q(('request__isnull', False), models.Q(('part', ''), _negated=True), models.Q(('name', ''), _negated=True)), _connector='OR'), name='only_a_request_has_parts'),
        ),
        migrations.AddConstraint(
            model_name='resolution',
            constraint=models.UniqueConstraint(fields=('thread', 'number'), name='one_resolution_per_number'),
        ),
        migrations.AddConstraint(
            model_name='resolution',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('is_resolved', True), ('number', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('number'), '/', models.Value(2)), '*', models.Value(2)), '+', models.Value(1)))), models.Q(('is_resolved', False), ('number', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('number'), '/', models.Value(2)), '*', models.Value(2)))), _connector='OR'), name='resolved_and_reopened_in_turn'),
        ),
        migrations.RunSQL(RULES, FORGET),
        migrations.RunSQL(GUARDS, UNGUARDED),
    ]
