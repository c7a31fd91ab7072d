"""The list of a person's requests is read in its order."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('requests', '0002_requests_by_time'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='reviewrequest',
            index=models.Index(fields=['requester', '-created_at', '-id'], name='requests_of_requester'),
        ),
    ]
