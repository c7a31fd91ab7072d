"""Budget accounts hang on a tree of cost centres; those there were become the accounts of their teams' centres."""

import datetime
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE"  # no table changes its columns while a check of its rows is still to come


def hang(apps, schema_editor):
    """One root, a centre for each team with an account, and the accounts on them."""
    account, centre = apps.get_model("governance", "BudgetAccount"), apps.get_model("governance", "CostCentre")
    teams = apps.get_model("governance", "Team").objects.order_by("pk")
    for team in teams.filter(budget_accounts__isnull=False).distinct():
        root, _ = centre.objects.get_or_create(level="organisation", defaults={"slug": _free(teams), "name": "Organisation"})
        own = centre.objects.create(level="team", slug=team.slug, name=team.name, parent=root, team=team)
        account.objects.filter(team=team).update(centre=own)


def _free(teams):
    taken = set(teams.values_list("slug", flat=True))
    return next(slug for slug in ("organisation", "the-organisation", "root-of-budgets") if slug not in taken)


def take_down(apps, schema_editor):
    """Each account back to its team; what hangs elsewhere has none, and stops the way back."""
    account = apps.get_model("governance", "BudgetAccount")
    for row in account.objects.select_related("centre").order_by("pk"):
        if row.centre.level != "team":
            raise RuntimeError(f"The account of {row.centre.name} belongs to no team; there is no way back for it.")
        account.objects.filter(pk=row.pk).update(team=row.centre.team_id)


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0009_product_leads'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BudgetChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('aspect', models.CharField(choices=[('amount', 'amount'), ('date', 'date'), ('account', 'account')], max_length=7)),
                ('request_ref', models.CharField(blank=True, max_length=20)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=16)),
                ('reason', models.TextField()),
                ('proposed_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('confirmed', 'Confirmed'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn'), ('expired', 'Expired')], default='pending', max_length=10)),
                ('closed_at', models.DateTimeField(null=True)),
                ('closing_reason', models.TextField(blank=True)),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='CostCentre',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.CharField(choices=[('organisation', 'organisation'), ('unit', 'unit'), ('team', 'team'), ('project', 'project')], max_length=12)),
                ('slug', models.SlugField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=120)),
            ],
        ),
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
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='budgetaccount',
            name='one_account',
        ),
        migrations.RemoveConstraint(
            model_name='ledgerentry',
            name='amount_is_positive',
        ),
        migrations.RemoveConstraint(
            model_name='ledgerentry',
            name='known_kind',
        ),
        migrations.AlterField(
            model_name='budgetaccount',
            name='team',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='budget_accounts', to='governance.team'),
        ),
        migrations.AddField(
            model_name='budgetaccount',
            name='closed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='budgetaccount',
            name='mode',
            field=models.CharField(choices=[('off', 'off'), ('observe', 'observe'), ('enforce', 'enforce')], db_default='enforce', default='enforce', max_length=7),
        ),
        migrations.AddField(
            model_name='budgetaccount',
            name='tolerance_percent',
            field=models.PositiveSmallIntegerField(db_default=10, default=10),
        ),
        migrations.AddField(
            model_name='ledgerentry',
            name='is_commitment',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='ledgerentry',
            name='period',
            field=models.CharField(blank=True, db_default='', default='', max_length=7),
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='kind',
            field=models.CharField(choices=[('allocate', 'allocate'), ('transfer', 'transfer'), ('reserve', 'reserve'), ('commit', 'commit'), ('release', 'release'), ('actual', 'actual'), ('accrual', 'accrual'), ('correction', 'correction'), ('expire', 'expire')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('kind__in', ['accrual', 'actual', 'correction']), models.Q(('kind__in', ['allocate', 'transfer']), models.Q(('amount', 0), _negated=True)), _connector='OR'), name='amount_suits_kind'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['allocate', 'transfer', 'reserve', 'commit', 'release', 'actual', 'accrual', 'correction', 'expire'])), name='known_kind'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['accrual', 'actual', 'correction']), ('period__regex', '^\\d{4}-(0[1-9]|1[0-2])$')), models.Q(models.Q(('kind__in', ['accrual', 'actual', 'correction']), _negated=True), ('period', '')), _connector='OR'), name='what_is_billed_has_a_month'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('is_commitment', False), ('kind', 'release'), _connector='OR'), name='releases_give_back'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['accrual', 'actual', 'correction']), models.Q(('kind__in', ['allocate', 'expire', 'transfer']), ('request_ref', '')), models.Q(models.Q(('kind__in', ['allocate', 'expire', 'transfer']), _negated=True), models.Q(('request_ref', ''), _negated=True)), _connector='OR'), name='bookings_name_their_request'),
        ),
        migrations.AddField(
            model_name='budgetchange',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='governance.budgetaccount'),
        ),
        migrations.AddField(
            model_name='budgetchange',
            name='closed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='budgetchange',
            name='proposed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='budgetchange',
            name='target',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.budgetaccount'),
        ),
        migrations.AddField(
            model_name='costcentre',
            name='parent',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='governance.costcentre'),
        ),
        migrations.AddField(
            model_name='costcentre',
            name='team',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cost_centres', to='governance.team'),
        ),
        migrations.AddField(
            model_name='budgetaccount',
            name='centre',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='governance.costcentre'),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, AT_ONCE),
        migrations.RunPython(hang, take_down),
        migrations.RunSQL(AT_ONCE, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='budgetaccount',
            name='centre',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='governance.costcentre'),
        ),
        migrations.RemoveField(
            model_name='budgetaccount',
            name='team',
        ),
        migrations.AddConstraint(
            model_name='budgetaccount',
            constraint=models.UniqueConstraint(fields=('centre', 'quarter', 'unit'), name='one_account'),
        ),
        migrations.AddConstraint(
            model_name='budgetaccount',
            constraint=models.CheckConstraint(condition=models.Q(('mode__in', ['off', 'observe', 'enforce'])), name='known_mode'),
        ),
        migrations.AddConstraint(
            model_name='budgetaccount',
            constraint=models.CheckConstraint(condition=models.Q(('tolerance_percent__lte', 100)), name='tolerance_is_a_share'),
        ),
        migrations.AddField(
            model_name='finding',
            name='closed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='finding',
            name='owner',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='findings', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='budgetchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__gte', 0), ('aspect', 'amount'), ('target__isnull', True)), models.Q(('amount__gt', 0), ('aspect__in', ['date', 'account']), ('target__isnull', False), models.Q(('target', models.F('account')), _negated=True)), _connector='OR'), name='budget_change_names_what_moves'),
        ),
        migrations.AddConstraint(
            model_name='budgetchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'confirmed'), _negated=True), models.Q(('closed_by__isnull', False), models.Q(('closed_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='another_person_confirms_a_budget_change'),
        ),
        migrations.AddConstraint(
            model_name='budgetchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'pending'), ('closed_at__isnull', True), ('closed_by__isnull', True)), models.Q(('closed_at__isnull', False), ('closed_by__isnull', True), ('state', 'expired')), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False), ('state__in', ['confirmed', 'refused'])), models.Q(('closed_at__isnull', False), ('closed_by', models.F('proposed_by')), ('state', 'withdrawn')), _connector='OR'), name='closed_budget_change_says_when_and_by_whom'),
        ),
        migrations.AddConstraint(
            model_name='budgetchange',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('proposed_at')), ('expires_at__lte', django.db.models.expressions.CombinedExpression(models.F('proposed_at'), '+', models.Value(datetime.timedelta(days=7)))), models.Q(models.Q(('state', 'confirmed'), _negated=True), ('closed_at__lt', models.F('expires_at')), _connector='OR')), name='budget_change_waits_seven_days'),
        ),
        migrations.AddConstraint(
            model_name='budgetchange',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('account', 'request_ref'), name='one_open_change_of_a_budget'),
        ),
        migrations.AddConstraint(
            model_name='costcentre',
            constraint=models.CheckConstraint(condition=models.Q(('level__in', ['organisation', 'unit', 'team', 'project'])), name='known_level'),
        ),
        migrations.AddConstraint(
            model_name='costcentre',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('level', 'organisation'), ('parent__isnull', True)), models.Q(models.Q(('level', 'organisation'), _negated=True), ('parent__isnull', False)), _connector='OR'), name='only_the_root_has_no_parent'),
        ),
        migrations.AddConstraint(
            model_name='costcentre',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('level__in', ['team', 'project']), ('team__isnull', False)), models.Q(models.Q(('level__in', ['team', 'project']), _negated=True), ('team__isnull', True)), _connector='OR'), name='teams_and_projects_have_a_team'),
        ),
        migrations.AddConstraint(
            model_name='costcentre',
            constraint=models.UniqueConstraint(condition=models.Q(('level', 'organisation')), fields=('level',), name='one_root'),
        ),
        migrations.AddConstraint(
            model_name='costcentre',
            constraint=models.UniqueConstraint(condition=models.Q(('level', 'team')), fields=('team',), name='one_centre_of_a_team'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.CheckConstraint(condition=models.Q(('severity__in', ['low', 'medium', 'high'])), name='known_severity'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('closed_by__isnull', True), ('state', 'open')), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False), ('state', 'closed')), _connector='OR'), name='closed_finding_says_when_and_by_whom'),
        ),
    ]
