"""Tables of absences, and the rules that the database holds."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE FUNCTION weighbridge_absence_stays()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
DECLARE
  ending constant text[] := ARRAY['ended_at', 'ended_by_id'];
  naming constant text[] := ARRAY['deputy_id', 'change_id', 'confirmed_roles'];
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL THEN
    IF NEW.ended_at IS NOT NULL AND to_jsonb(NEW) - ending = to_jsonb(OLD) - ending THEN
      RETURN NEW;
    END IF;
    IF OLD.deputy_id IS NULL AND to_jsonb(NEW) - naming = to_jsonb(OLD) - naming
       AND EXISTS (SELECT 1 FROM approvals_change change
         WHERE change.id = NEW.change_id AND change.kind = 'deputy' AND change.state = 'confirmed'
         AND change.subject_id = NEW.id AND change.gains_id = NEW.deputy_id) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'an absence is ended once, and two people name its deputy: % is refused', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER absence_stays BEFORE DELETE OR UPDATE ON absences_absence
  FOR EACH ROW EXECUTE FUNCTION weighbridge_absence_stays();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON absences_absence
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER absence_stays ON absences_absence;
DROP TRIGGER never_emptied ON absences_absence;
DROP FUNCTION weighbridge_absence_stays();
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
            name='Absence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField()),
                ('reason', models.TextField(blank=True)),
                ('stated_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('confirmed_roles', models.JSONField(default=list)),
                ('change', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='approvals.change')),
                ('deputy', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='absences', to=settings.AUTH_USER_MODEL)),
                ('stated_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['starts_on', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('deputy__isnull', True), models.Q(('deputy', models.F('person')), _negated=True), _connector='OR'), name='nobody_is_their_own_deputy'), models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='absence_ends_after_it_begins'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='ended_absence_says_by_whom'), models.CheckConstraint(condition=models.Q(models.Q(('change__isnull', True), ('confirmed_roles', [])), models.Q(('change__isnull', False), ('deputy__isnull', False)), _connector='OR'), name='roles_of_a_deputy_take_two_people'), models.CheckConstraint(condition=models.Q(('deputy__isnull', True), ('change__isnull', False), models.Q(('deputy', models.F('stated_by')), _negated=True), _connector='OR'), name='nobody_names_themselves_for_another')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
