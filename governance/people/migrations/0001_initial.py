"""Tables of people."""

import django.db.models.deletion
import django.db.models.functions.datetime
import governance.people.domain.roles
import governance.people.domain.scopes
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Team',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=120)),
            ],
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('prefix', models.CharField(max_length=12)),
                ('scope', models.CharField(choices=[('read', 'read'), ('write', 'write'), ('gate', 'gate'), ('report', 'report'), ('worker', 'worker')], db_default='write', default=governance.people.domain.scopes.TokenScope['WRITE'], max_length=8)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('last_used_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('scope__in', ['read', 'write', 'gate', 'report', 'worker'])), name='known_scope')],
            },
        ),
        migrations.CreateModel(
            name='RoleGrant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('requester', 'requester'), ('reviewer', 'reviewer'), ('platform_lead', 'platform lead'), ('product_lead', 'product lead'), ('finance', 'finance'), ('data_steward', 'data steward'), ('admin', 'admin'), ('auditor', 'auditor')], max_length=20)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='role_grants', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='role_grants', to='people.team')),
            ],
            options={
                'constraints': [models.UniqueConstraint(models.F('user'), models.F('role'), models.F('team'), name='one_grant', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('role', governance.people.domain.roles.Role['REQUESTER']), ('team__isnull', False)), models.Q(models.Q(('role', governance.people.domain.roles.Role['REQUESTER']), _negated=True), ('team__isnull', True)), _connector='OR'), name='requesters_have_a_team'), models.CheckConstraint(condition=models.Q(('role__in', ['requester', 'reviewer', 'platform_lead', 'product_lead', 'finance', 'data_steward', 'admin', 'auditor'])), name='known_role')],
            },
        ),
    ]
