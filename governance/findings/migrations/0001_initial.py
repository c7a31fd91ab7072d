"""Tables of findings, and the rules that the database holds."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE FUNCTION weighbridge_refuse_closed_finding()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state = 'open' AND (NEW.id, NEW.kind, NEW.subject, NEW.text, NEW.key, NEW.opened_at)
     IS NOT DISTINCT FROM (OLD.id, OLD.kind, OLD.subject, OLD.text, OLD.key, OLD.opened_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a finding is closed once, and says for ever what was found: % is refused', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER closed_once BEFORE DELETE OR UPDATE ON findings_finding
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse_closed_finding();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON findings_finding
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER closed_once ON findings_finding;
DROP TRIGGER never_emptied ON findings_finding;
DROP FUNCTION weighbridge_refuse_closed_finding();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Finding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40)),
                ('subject', models.CharField(max_length=200)),
                ('text', models.TextField()),
                ('severity', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], max_length=6)),
                ('source', models.CharField(blank=True, max_length=200)),
                ('key', models.CharField(max_length=160, unique=True)),
                ('state', models.CharField(choices=[('open', 'Open'), ('closed', 'Closed')], default='open', max_length=6)),
                ('due_on', models.DateField(null=True)),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('closing_note', models.TextField(blank=True)),
                ('closed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='findings', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('severity__in', ['low', 'medium', 'high'])), name='known_severity'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('closed_by__isnull', True), ('state', 'open')), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False), ('state', 'closed')), models.Q(('closed_at__isnull', False), ('state', 'closed'), models.Q(('closing_note', ''), _negated=True)), _connector='OR'), name='closed_finding_says_when_and_by_whom')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
