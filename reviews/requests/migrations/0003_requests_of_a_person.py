"""The list of a person's requests is read in its order."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('requests', '0002_requests_by_time'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='reviewrequest',
            index=models.Index(fields=['requester', '-created_at', '-id'], name='requests_of_requester'),
        ),
    ]
