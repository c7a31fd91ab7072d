"""Tables of projections, and the rules that the database holds."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON projections_costprojection
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON projections_costprojection
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER append_only ON projections_costprojection;
DROP TRIGGER append_only_truncate ON projections_costprojection;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CostProjection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.CharField(max_length=32, unique=True)),
                ('title', models.CharField(max_length=160)),
                ('spec', models.JSONField()),
                ('document', models.JSONField()),
                ('digest', models.CharField(max_length=71)),
                ('kept_at', models.DateTimeField()),
                ('kept_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['digest'], name='projections_digest_24029b_idx')],
                'constraints': [models.CheckConstraint(condition=models.Q(('digest__regex', '^sha256:[0-9a-f]{64}$')), name='projection_has_a_digest'), models.CheckConstraint(condition=models.Q(('token__regex', '^[A-Za-z0-9_-]{16,}$')), name='projection_has_a_token')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
