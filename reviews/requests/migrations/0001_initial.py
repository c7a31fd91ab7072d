"""Tables of requests."""

import django.db.models.deletion
import reviews.requests.domain.lifecycle
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('inventory', '0001_initial'),
        ('people', '0001_initial'),
        ('rulebook', '0001_initial'),
        ('runs', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ReviewRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(max_length=20, unique=True)),
                ('title', models.CharField(max_length=160)),
                ('purpose', models.CharField(max_length=200)),
                ('environment', models.CharField(choices=[('prod', 'Production'), ('staging', 'Staging'), ('dev', 'Development')], max_length=10)),
                ('tier', models.CharField(blank=True, choices=[('T1', 'T1 · customer-facing or financial'), ('T2', 'T2 · internal decision support'), ('T3', 'T3 · experiment')], max_length=2)),
                ('task', models.CharField(blank=True, choices=[('classification', 'Classification'), ('multi-label classification', 'Multi-label classification'), ('regression', 'Regression'), ('forecasting', 'Forecasting'), ('ranking', 'Ranking'), ('retrieval', 'Retrieval'), ('detection', 'Detection'), ('segmentation', 'Segmentation'), ('generation', 'Generation'), ('speech', 'Speech'), ('embedding', 'Embedding'), ('uplift', 'Uplift'), ('other', 'Other')], max_length=30)),
                ('business_case', models.TextField()),
                ('state', models.CharField(choices=[('draft', 'draft'), ('screening', 'screening'), ('cleared', 'cleared'), ('evidence', 'evidence'), ('in_review', 'in review'), ('changes_requested', 'changes requested'), ('decided', 'decided'), ('withdrawn', 'withdrawn'), ('expired', 'expired')], default=reviews.requests.domain.lifecycle.RequestState['DRAFT'], max_length=20)),
                ('revision', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('submitted_at', models.DateTimeField(null=True)),
                ('review_opened_at', models.DateTimeField(null=True)),
                ('deadline_at', models.DateTimeField(null=True)),
                ('grace_ends_at', models.DateTimeField(null=True)),
                ('extended_at', models.DateTimeField(null=True)),
                ('checklist', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rulebook.checklistversion')),
                ('dataset', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='runs.dataset')),
                ('model_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='review_requests', to='inventory.modelversion')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='owned_requests', to=settings.AUTH_USER_MODEL)),
                ('policy', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rulebook.policyversion')),
                ('requester', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='review_requests', to=settings.AUTH_USER_MODEL)),
                ('data_since', models.DateTimeField(null=True)),
                ('replaces', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='requests.reviewrequest')),
                ('rivals', models.ManyToManyField(blank=True, related_name='+', to='inventory.modelversion')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='review_requests', to='people.team')),
            ],
            options={
                'indexes': [models.Index(fields=['state', '-created_at'], name='requests_re_state_c620a8_idx')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['changes_requested', 'cleared', 'draft', 'evidence', 'in_review', 'screening'])), fields=('model_version', 'purpose'), name='one_open_request_per_version_and_purpose'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'screening', 'cleared', 'evidence', 'in_review', 'changes_requested', 'decided', 'withdrawn', 'expired'])), name='request_state_known'), models.CheckConstraint(condition=models.Q(('submitted_at__isnull', True), models.Q(('checklist__isnull', False), ('policy__isnull', False), ('submitted_at__isnull', False)), _connector='OR'), name='submitted_fixes_policy'), models.CheckConstraint(condition=models.Q(models.Q(('deadline_at__isnull', True), ('grace_ends_at__isnull', True)), models.Q(('deadline_at__isnull', False), ('grace_ends_at__gte', models.F('deadline_at'))), _connector='OR'), name='grace_follows_the_deadline')],
            },
        ),
    ]
