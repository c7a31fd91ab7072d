import django.db.models.deletion
from django.db import migrations, models


def amount():
    return models.DecimalField(decimal_places=12, max_digits=50)


class Migration(migrations.Migration):

    dependencies = [
        ('bills', '0002_due_bills'),
    ]

    operations = [
        migrations.CreateModel(
            name='MonthSum',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('currency', models.CharField(max_length=3)),
                ('lines', models.BigIntegerField()),
                ('billed', amount()),
                ('effective', amount()),
                ('gpu_hours', amount()),
                ('server_hours', amount()),
                ('rule', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sums', to='bills.allocationrule')),
                ('slice', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='sums', to='bills.billslice')),
            ],
            options={
                'indexes': [models.Index(fields=['month'], name='sums_by_month'), models.Index(fields=['rule', 'month'], name='sums_by_rule')],
                'constraints': [models.UniqueConstraint(fields=('slice', 'month', 'rule', 'currency'), name='one_sum_of_a_month', nulls_distinct=False)],
            },
        ),
    ]
