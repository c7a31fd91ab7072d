"""Tables of audit, and the rules that the database holds."""

from django.db import migrations, models

RULES = """
CREATE FUNCTION weighbridge_refuse()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('weighbridge.maintenance', true) = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'rows of % are append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON audit_auditevent
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_auditevent
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON audit_checkpoint
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_checkpoint
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER append_only ON audit_auditevent;
DROP TRIGGER append_only_truncate ON audit_auditevent;
DROP TRIGGER append_only ON audit_checkpoint;
DROP TRIGGER append_only_truncate ON audit_checkpoint;
DROP FUNCTION weighbridge_refuse();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveBigIntegerField(unique=True)),
                ('kind', models.CharField(max_length=60)),
                ('at', models.DateTimeField()),
                ('actor_id', models.CharField(blank=True, max_length=40)),
                ('actor', models.CharField(max_length=160)),
                ('source', models.CharField(max_length=20)),
                ('subject_type', models.CharField(max_length=40)),
                ('subject', models.CharField(max_length=160)),
                ('details', models.JSONField(default=dict)),
                ('reason', models.TextField(blank=True)),
                ('request_id', models.CharField(blank=True, max_length=40)),
                ('previous_hash', models.CharField(max_length=71)),
                ('hash', models.CharField(max_length=71, unique=True)),
            ],
            options={
                'ordering': ['position'],
                'indexes': [models.Index(fields=['subject_type', 'subject'], name='audit_audit_subject_c7cb63_idx')],
            },
        ),
        migrations.CreateModel(
            name='Checkpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('count', models.PositiveBigIntegerField(unique=True)),
                ('head', models.CharField(max_length=71)),
                ('at', models.DateTimeField()),
                ('key_id', models.CharField(max_length=71)),
                ('signature', models.CharField(max_length=88)),
            ],
            options={
                'ordering': ['count'],
                'constraints': [models.CheckConstraint(condition=models.Q(('count__gt', 0)), name='checkpoint_of_something')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
