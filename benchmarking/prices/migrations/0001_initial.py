"""Tables of prices, and the rules that the database holds."""

import django.db.models.deletion
import weighbridge.costs.prices.published
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON prices_pricesource
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON prices_pricesource
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER append_only ON prices_pricesource;
DROP TRIGGER append_only_truncate ON prices_pricesource;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PriceSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[(weighbridge.costs.prices.published.SourceKind['LIST'], weighbridge.costs.prices.published.SourceKind['LIST']), (weighbridge.costs.prices.published.SourceKind['RATES'], weighbridge.costs.prices.published.SourceKind['RATES'])], max_length=8)),
                ('name', models.CharField(max_length=120)),
                ('content', models.TextField(blank=True)),
                ('published_at', models.DateTimeField()),
                ('published_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['kind', 'name', '-id'], name='price_source_latest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='price_source_has_a_name'), models.CheckConstraint(condition=models.Q(('kind__in', [weighbridge.costs.prices.published.SourceKind['LIST'], weighbridge.costs.prices.published.SourceKind['RATES']])), name='price_source_kind_is_known')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
