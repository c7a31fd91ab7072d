"""Tables of tickets, and the rules that the database holds."""

import django.db.models.deletion
import reviews.tickets.domain.moves
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON tickets_ticketmove
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON tickets_ticketmove
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER append_only ON tickets_ticketmove;
DROP TRIGGER append_only_truncate ON tickets_ticketmove;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        ('people', '0001_initial'),
        ('quarterly', '0001_initial'),
        ('requests', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(max_length=80, unique=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('uncertain', 'Uncertain'), ('linked', 'Linked')], default='waiting', max_length=10)),
                ('remote_id', models.CharField(blank=True, max_length=40)),
                ('key', models.CharField(blank=True, max_length=40)),
                ('url', models.CharField(blank=True, max_length=300)),
                ('status', models.CharField(blank=True, max_length=60)),
                ('linked_at', models.DateTimeField(null=True)),
                ('action_item', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ticket', to='quarterly.actionitem')),
                ('request', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ticket', to='requests.reviewrequest')),
            ],
        ),
        migrations.CreateModel(
            name='TicketMirror',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('remote_updated_at', models.DateTimeField(null=True)),
                ('read_at', models.DateTimeField()),
                ('gone_at', models.DateTimeField(null=True)),
                ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='mirror', to='tickets.ticket')),
            ],
        ),
        migrations.CreateModel(
            name='TicketRoute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject_kind', models.CharField(blank=True, choices=[('file', 'One file'), ('manifest', 'A repository or folder of files'), ('container', 'A container image'), ('managed', 'A managed model behind an API'), ('pipeline', 'A pipeline of several models'), ('deployment', 'A language model as it is deployed')], max_length=10)),
                ('work', models.CharField(blank=True, choices=[('review', 'Reviews of requests'), ('action_item', 'Action items of quarterly reviews')], max_length=12)),
                ('project', models.CharField(max_length=40)),
                ('issue_type', models.CharField(max_length=60)),
                ('fields', models.JSONField(default=dict)),
                ('field_map', models.JSONField(default=dict)),
                ('statuses', models.JSONField(default=dict)),
                ('moves', models.JSONField(default=dict)),
                ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.team')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.AddField(
            model_name='ticket',
            name='route',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tickets', to='tickets.ticketroute'),
        ),
        migrations.CreateModel(
            name='TicketSite',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('base_url', models.CharField(max_length=200)),
                ('flavor', models.CharField(max_length=20)),
                ('version', models.CharField(max_length=40)),
                ('server', models.CharField(max_length=120)),
                ('signs_webhooks', models.BooleanField(default=True)),
                ('state', models.CharField(choices=[('setup', 'Being set up'), ('active', 'Active'), ('removed', 'Removed')], default='setup', max_length=8)),
                ('access', models.CharField(blank=True, choices=[('account', 'E-mail address and API token'), ('token', 'Personal access token')], max_length=8)),
                ('account', models.CharField(blank=True, max_length=254)),
                ('credential', models.BinaryField(null=True)),
                ('webhook_secret', models.BinaryField(null=True)),
                ('webhook_secret_before', models.BinaryField(null=True)),
                ('webhook_at', models.DateTimeField(null=True)),
                ('settle_s', models.PositiveSmallIntegerField(default=45)),
                ('comparison', models.CharField(choices=[('report', 'report'), ('pull', 'pull'), ('push', 'push'), ('never', 'never')], default='pull', max_length=8)),
                ('is_ok', models.BooleanField(null=True)),
                ('steps', models.JSONField(default=list)),
                ('tested_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'removed'), _negated=True), fields=('name',), name='one_site_per_name'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'active'), _negated=True), models.Q(('credential__isnull', False), ('tested_at__isnull', False)), _connector='OR'), name='active_site_has_a_credential'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'removed'), _negated=True), models.Q(('credential', None), ('webhook_secret', None), ('webhook_secret_before', None)), _connector='OR'), name='removed_site_has_no_secret')],
            },
        ),
        migrations.AddField(
            model_name='ticketroute',
            name='site',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='routes', to='tickets.ticketsite'),
        ),
        migrations.AddField(
            model_name='ticket',
            name='site',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='tickets.ticketsite'),
        ),
        migrations.CreateModel(
            name='ExternalIdentity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account_id', models.CharField(max_length=128)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='external_identities', to=settings.AUTH_USER_MODEL)),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='identities', to='tickets.ticketsite')),
            ],
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identifier', models.CharField(blank=True, max_length=200)),
                ('event', models.CharField(blank=True, max_length=80)),
                ('body_digest', models.CharField(max_length=71, unique=True)),
                ('received_at', models.DateTimeField()),
                ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='tickets.ticket')),
            ],
        ),
        migrations.CreateModel(
            name='TicketComment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('remote_id', models.CharField(max_length=40)),
                ('is_ours', models.BooleanField(default=False)),
                ('author_id', models.CharField(blank=True, max_length=128)),
                ('author', models.CharField(blank=True, max_length=200)),
                ('text', models.TextField(blank=True)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='tickets.ticket')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('ticket', 'remote_id'), name='one_comment_per_remote_id')],
            },
        ),
        migrations.CreateModel(
            name='TicketMove',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('remote_id', models.CharField(max_length=40)),
                ('author_id', models.CharField(blank=True, max_length=128)),
                ('author', models.CharField(blank=True, max_length=200)),
                ('status', models.CharField(max_length=60)),
                ('moved_at', models.DateTimeField()),
                ('meaning', models.CharField(choices=[('none', 'none'), ('withdraw', 'withdraw'), ('acknowledge', 'acknowledge'), ('decide', 'decide'), ('close', 'close')], max_length=12)),
                ('outcome', models.CharField(choices=[('noted', 'noted'), ('done', 'done'), ('refused', 'refused')], max_length=8)),
                ('reason', models.TextField(blank=True)),
                ('judged_at', models.DateTimeField()),
                ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='moves', to='tickets.ticket')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('ticket', 'remote_id'), name='one_judgment_per_move'), models.CheckConstraint(condition=models.Q(('meaning', reviews.tickets.domain.moves.Meaning['DECIDE']), ('outcome', reviews.tickets.domain.moves.MoveOutcome['DONE']), _negated=True), name='nothing_is_decided_there')],
            },
        ),
        migrations.AddConstraint(
            model_name='ticketroute',
            constraint=models.UniqueConstraint(fields=('team', 'subject_kind', 'work'), name='one_route_per_scope', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('action_item__isnull', True), ('request__isnull', False)), models.Q(('action_item__isnull', False), ('request__isnull', True)), _connector='OR'), name='ticket_of_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'linked'), _negated=True), models.Q(models.Q(('key', ''), _negated=True), models.Q(('remote_id', ''), _negated=True), ('site__isnull', False)), _connector='OR'), name='linked_has_a_key'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.UniqueConstraint(condition=models.Q(('remote_id', ''), _negated=True), fields=('site', 'remote_id'), name='one_ticket_per_remote_id'),
        ),
        migrations.AddConstraint(
            model_name='externalidentity',
            constraint=models.UniqueConstraint(fields=('site', 'user'), name='one_account_per_user_and_site'),
        ),
        migrations.AddConstraint(
            model_name='externalidentity',
            constraint=models.UniqueConstraint(fields=('site', 'account_id'), name='one_user_per_account_and_site'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['-received_at'], name='tickets_web_receive_b4660f_idx'),
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
