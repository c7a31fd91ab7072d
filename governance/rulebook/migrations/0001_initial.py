"""Tables of rulebook, and the rules that the database holds."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE FUNCTION weighbridge_refuse_published()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.state = 'draft' THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'UPDATE' AND
     (NEW.name, NEW.number, NEW.source, NEW.digest, NEW.written_at, NEW.written_by_id) IS NOT DISTINCT FROM
     (OLD.name, OLD.number, OLD.source, OLD.digest, OLD.written_at, OLD.written_by_id)
     AND ((OLD.state = 'draft' AND NEW.state IN ('draft', 'published'))
          OR (OLD.state = 'published' AND NEW.state = 'retired' AND NEW.published_at = OLD.published_at
              AND NEW.published_by_id IS NOT DISTINCT FROM OLD.published_by_id)) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a version of % never changes: write a new one', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION weighbridge_refuse_gap()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
DECLARE
  is_followed boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE name = $1 AND state = ''published'')', TG_TABLE_NAME)
    INTO is_followed USING NEW.name;
  IF is_followed OR (TG_TABLE_NAME = 'rulebook_policyversion' AND EXISTS (
       SELECT 1 FROM approvals_change
       WHERE kind = 'policy_end' AND subject_id = NEW.id AND state = 'confirmed')) THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'a version of % is retired by its successor, or by two people', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE CONSTRAINT TRIGGER no_gap AFTER UPDATE ON rulebook_policyversion DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.state = 'retired') EXECUTE FUNCTION weighbridge_refuse_gap();
CREATE CONSTRAINT TRIGGER no_gap AFTER UPDATE ON rulebook_checklistversion DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.state = 'retired') EXECUTE FUNCTION weighbridge_refuse_gap();
CREATE CONSTRAINT TRIGGER no_gap AFTER UPDATE ON rulebook_catalogversion DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.state = 'retired') EXECUTE FUNCTION weighbridge_refuse_gap();
CREATE TRIGGER published_is_immutable BEFORE DELETE OR UPDATE ON rulebook_policyversion
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse_published();
CREATE TRIGGER published_is_immutable BEFORE DELETE OR UPDATE ON rulebook_checklistversion
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse_published();
CREATE TRIGGER published_is_immutable BEFORE DELETE OR UPDATE ON rulebook_catalogversion
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse_published();
CREATE TRIGGER published_truncate BEFORE TRUNCATE ON rulebook_policyversion
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER published_truncate BEFORE TRUNCATE ON rulebook_checklistversion
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER published_truncate BEFORE TRUNCATE ON rulebook_catalogversion
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER two_people BEFORE INSERT OR UPDATE ON rulebook_policyversion
  FOR EACH ROW EXECUTE FUNCTION weighbridge_two_people();
CREATE TRIGGER two_people BEFORE INSERT OR UPDATE ON rulebook_checklistversion
  FOR EACH ROW EXECUTE FUNCTION weighbridge_two_people();
CREATE TRIGGER two_people BEFORE INSERT OR UPDATE ON rulebook_catalogversion
  FOR EACH ROW EXECUTE FUNCTION weighbridge_two_people();
"""
FORGET = """
DROP TRIGGER no_gap ON rulebook_policyversion;
DROP TRIGGER no_gap ON rulebook_checklistversion;
DROP TRIGGER no_gap ON rulebook_catalogversion;
DROP TRIGGER published_is_immutable ON rulebook_policyversion;
DROP TRIGGER published_is_immutable ON rulebook_checklistversion;
DROP TRIGGER published_is_immutable ON rulebook_catalogversion;
DROP TRIGGER published_truncate ON rulebook_policyversion;
DROP TRIGGER published_truncate ON rulebook_checklistversion;
DROP TRIGGER published_truncate ON rulebook_catalogversion;
DROP TRIGGER two_people ON rulebook_policyversion;
DROP TRIGGER two_people ON rulebook_checklistversion;
DROP TRIGGER two_people ON rulebook_catalogversion;
DROP FUNCTION weighbridge_refuse_published();
DROP FUNCTION weighbridge_refuse_gap();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        ('approvals', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CatalogVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=60)),
                ('number', models.PositiveIntegerField()),
                ('source', models.TextField()),
                ('digest', models.CharField(max_length=71)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('published', 'Published'), ('retired', 'Retired')], default='draft', max_length=10)),
                ('written_at', models.DateTimeField()),
                ('published_at', models.DateTimeField(null=True)),
                ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('name', 'number'), name='one_catalogversion_number'), models.UniqueConstraint(condition=models.Q(('state', 'published')), fields=('name',), name='one_published_catalogversion'), models.CheckConstraint(condition=models.Q(models.Q(('published_at__isnull', True), ('state', 'draft')), models.Q(models.Q(('state', 'draft'), _negated=True), ('published_at__isnull', False)), _connector='OR'), name='catalogversion_published_has_a_time'), models.CheckConstraint(condition=models.Q(('published_by__isnull', True), ('written_by__isnull', True), models.Q(('published_by', models.F('written_by')), _negated=True), _connector='OR'), name='catalogversion_author_does_not_publish')],
            },
        ),
        migrations.CreateModel(
            name='ChecklistVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=60)),
                ('number', models.PositiveIntegerField()),
                ('source', models.TextField()),
                ('digest', models.CharField(max_length=71)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('published', 'Published'), ('retired', 'Retired')], default='draft', max_length=10)),
                ('written_at', models.DateTimeField()),
                ('published_at', models.DateTimeField(null=True)),
                ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('name', 'number'), name='one_checklistversion_number'), models.UniqueConstraint(condition=models.Q(('state', 'published')), fields=('name',), name='one_published_checklistversion'), models.CheckConstraint(condition=models.Q(models.Q(('published_at__isnull', True), ('state', 'draft')), models.Q(models.Q(('state', 'draft'), _negated=True), ('published_at__isnull', False)), _connector='OR'), name='checklistversion_published_has_a_time'), models.CheckConstraint(condition=models.Q(('published_by__isnull', True), ('written_by__isnull', True), models.Q(('published_by', models.F('written_by')), _negated=True), _connector='OR'), name='checklistversion_author_does_not_publish')],
            },
        ),
        migrations.CreateModel(
            name='PolicyVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=60)),
                ('number', models.PositiveIntegerField()),
                ('source', models.TextField()),
                ('digest', models.CharField(max_length=71)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('published', 'Published'), ('retired', 'Retired')], default='draft', max_length=10)),
                ('written_at', models.DateTimeField()),
                ('published_at', models.DateTimeField(null=True)),
                ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('name', 'number'), name='one_policyversion_number'), models.UniqueConstraint(condition=models.Q(('state', 'published')), fields=('name',), name='one_published_policyversion'), models.CheckConstraint(condition=models.Q(models.Q(('published_at__isnull', True), ('state', 'draft')), models.Q(models.Q(('state', 'draft'), _negated=True), ('published_at__isnull', False)), _connector='OR'), name='policyversion_published_has_a_time'), models.CheckConstraint(condition=models.Q(('published_by__isnull', True), ('written_by__isnull', True), models.Q(('published_by', models.F('written_by')), _negated=True), _connector='OR'), name='policyversion_author_does_not_publish')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
