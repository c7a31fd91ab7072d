"""Tables of authorizations, and the rules that the database holds."""

import django.db.models.deletion
import reviews.authorizations.domain.authorization_states
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON authorizations_decision
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON authorizations_decision
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON authorizations_rereview
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON authorizations_rereview
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER append_only ON authorizations_decision;
DROP TRIGGER append_only_truncate ON authorizations_decision;
DROP TRIGGER append_only ON authorizations_rereview;
DROP TRIGGER append_only_truncate ON authorizations_rereview;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        ('evidence', '0001_initial'),
        ('findings', '0001_initial'),
        ('requests', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('approved', 'Approved'), ('approved_with_conditions', 'Approved with conditions'), ('rejected', 'Rejected')], max_length=30)),
                ('revision', models.PositiveIntegerField()),
                ('bundle_digest', models.CharField(max_length=71)),
                ('rationale', models.TextField(blank=True)),
                ('settles', models.JSONField(default=list)),
                ('decided_at', models.DateTimeField()),
                ('decided_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('policy_evaluation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='evidence.policyevaluation')),
                ('request', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='decision', to='requests.reviewrequest')),
            ],
        ),
        migrations.CreateModel(
            name='Authorization',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=24, unique=True)),
                ('subject_digest', models.CharField(max_length=71)),
                ('environment', models.CharField(choices=[('prod', 'Production'), ('staging', 'Staging'), ('dev', 'Development')], max_length=10)),
                ('state', models.CharField(choices=[('active', 'active'), ('pending_expiration', 'pending expiration'), ('expired', 'expired'), ('suspended', 'suspended'), ('revoked', 'revoked'), ('superseded', 'superseded')], default=reviews.authorizations.domain.authorization_states.AuthorizationState['ACTIVE'], max_length=20)),
                ('issued_at', models.DateTimeField()),
                ('granted_until', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('warn_at', models.DateTimeField()),
                ('tokens_per_month', models.BigIntegerField(null=True)),
                ('usd_per_month', models.DecimalField(decimal_places=2, max_digits=24, null=True)),
                ('denied_until', models.DateTimeField(null=True)),
                ('envelope', models.JSONField()),
                ('statement_digest', models.CharField(max_length=71)),
                ('decision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='authorization', to='authorizations.decision')),
            ],
        ),
        migrations.CreateModel(
            name='ReReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('noted_at', models.DateTimeField()),
                ('authorization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='re_reviews', to='authorizations.authorization')),
                ('finding', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='re_review', to='findings.finding')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='re_reviews', to='requests.reviewrequest')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Condition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=400)),
                ('due_on', models.DateField()),
                ('met_at', models.DateTimeField(null=True)),
                ('authorization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='conditions', to='authorizations.authorization')),
                ('met_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('set_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lifted_at', models.DateTimeField(null=True)),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('carried_to', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='carried_from', to='authorizations.condition')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='conditions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('met_at__isnull', True), ('met_by__isnull', True)), models.Q(('met_at__isnull', False), ('met_by__isnull', False)), _connector='OR'), name='met_has_a_person'), models.CheckConstraint(condition=models.Q(models.Q(('lifted_at__isnull', True), ('lifted_by__isnull', True)), models.Q(('lifted_at__isnull', False), ('lifted_by__isnull', False)), _connector='OR'), name='lifted_has_a_person'), models.CheckConstraint(condition=models.Q(models.Q(('lifted_at__isnull', True), ('met_at__isnull', True)), models.Q(('carried_to__isnull', True), ('met_at__isnull', True)), models.Q(('carried_to__isnull', True), ('lifted_at__isnull', True)), _connector='OR'), name='condition_ends_once')],
            },
        ),
        migrations.AddIndex(
            model_name='authorization',
            index=models.Index(fields=['subject_digest', 'environment'], name='authorizati_subject_42e846_idx'),
        ),
        migrations.AddConstraint(
            model_name='authorization',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('issued_at'))), name='expires_after_issue'),
        ),
        migrations.AddConstraint(
            model_name='authorization',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__lte', models.F('granted_until'))), name='never_beyond_the_grant'),
        ),
        migrations.AddConstraint(
            model_name='authorization',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('tokens_per_month__isnull', True), ('tokens_per_month__gt', 0), _connector='OR'), models.Q(('usd_per_month__isnull', True), ('usd_per_month__gt', 0), _connector='OR')), name='limits_are_positive'),
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
