"""The table of the feed, and the rules that the database holds."""

import django.db.models.deletion
from django.db import migrations, models

RULES = """
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON feed_feedentry
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON feed_feedentry
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER append_only ON feed_feedentry;
DROP TRIGGER append_only_truncate ON feed_feedentry;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        ('requests', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='FeedEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveBigIntegerField(unique=True)),
                ('digest', models.CharField(max_length=71)),
                ('environment', models.CharField(choices=[('prod', 'Production'), ('staging', 'Staging'), ('dev', 'Development')], max_length=10)),
                ('standing', models.CharField(choices=[('rejected', 'rejected'), ('revoked', 'revoked'), ('suspended', 'suspended'), ('under_review', 'under review'), ('review_lost', 'review lost'), ('expired', 'expired'), ('conditional', 'conditional'), ('authorized', 'authorized'), ('cleared', 'cleared'), ('unknown', 'unknown')], max_length=20)),
                ('allowed_until', models.DateTimeField(null=True)),
                ('at', models.DateTimeField()),
                ('reason', models.TextField(blank=True)),
                ('nodes', models.BinaryField()),
                ('root', models.CharField(max_length=71)),
                ('request', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='requests.reviewrequest')),
            ],
            options={
                'ordering': ['position'],
                'indexes': [models.Index(fields=['digest', 'environment', '-position'], name='feed_feeden_digest_0b5385_idx')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('allowed_until__isnull', False), ('request__isnull', False), ('standing__in', ['conditional', 'authorized', 'cleared'])), models.Q(models.Q(('standing__in', ['conditional', 'authorized', 'cleared']), _negated=True), ('allowed_until__isnull', True), ('request__isnull', True)), _connector='OR'), name='only_the_allowed_have_an_end'), models.CheckConstraint(condition=models.Q(('standing__in', ['rejected', 'revoked', 'suspended', 'under_review', 'review_lost', 'expired', 'conditional', 'authorized', 'cleared', 'unknown'])), name='feed_standing_known')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
