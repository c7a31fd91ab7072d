"""Tables of tickets, and the rules that the database holds."""

import django.db.models.deletion
import reviews.tickets.domain
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
        ('quarterly', '0001_initial'),
        ('requests', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ExternalIdentity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account_id', models.CharField(max_length=128, unique=True)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='external_identity', to=settings.AUTH_USER_MODEL)),
            ],
        ),
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
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('action_item__isnull', True), ('request__isnull', False)), models.Q(('action_item__isnull', False), ('request__isnull', True)), _connector='OR'), name='ticket_of_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'linked'), _negated=True), models.Q(models.Q(('key', ''), _negated=True), models.Q(('remote_id', ''), _negated=True)), _connector='OR'), name='linked_has_a_key'),
        ),
        migrations.AddConstraint(
            model_name='ticketcomment',
            constraint=models.UniqueConstraint(fields=('ticket', 'remote_id'), name='one_comment_per_remote_id'),
        ),
        migrations.AddConstraint(
            model_name='ticketmove',
            constraint=models.UniqueConstraint(fields=('ticket', 'remote_id'), name='one_judgment_per_move'),
        ),
        migrations.AddConstraint(
            model_name='ticketmove',
            constraint=models.CheckConstraint(condition=models.Q(('meaning', reviews.tickets.domain.Meaning['DECIDE']), ('outcome', reviews.tickets.domain.MoveOutcome['DONE']), _negated=True), name='nothing_is_decided_there'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['-received_at'], name='tickets_web_receive_b4660f_idx'),
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
