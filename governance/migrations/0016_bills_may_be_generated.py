"""A bill may come from a generator: whatever rests on it is marked so."""


from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0015_commitments_expire'),
    ]

    operations = [
        migrations.AlterField(
            model_name='bill',
            name='origin',
            field=models.CharField(choices=[('upload', 'uploaded'), ('folder', 'watched folder'), ('command', 'command line'), ('api', 'API'), ('generated', 'generated')], max_length=10),
        ),
    ]
