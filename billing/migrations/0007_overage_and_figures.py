import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import netvexa.lib.ids
from tenants.rls import only_platform, protect, read_only


class Migration(migrations.Migration):
    """Answers beyond the plan, usage by the hour, and what staff want to know of the business."""

    dependencies = [
        ("billing", "0006_staff"),
        ("tenants", "0006_access"),
    ]

    operations = [
        migrations.CreateModel(
            name="AcquisitionSpend",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("month", models.DateField(help_text="The month's first day.", unique=True)),
                (
                    "usd",
                    models.PositiveIntegerField(
                        help_text="Advertising, commissions, sales.", verbose_name="US dollars"
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "verbose_name_plural": "acquisition spend",
            },
        ),
        migrations.CreateModel(
            name="OverageEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=netvexa.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("period", models.DateField(help_text="First day of the month whose quota they are beyond.")),
                ("number", models.PositiveIntegerField(help_text="1 is the month's first.")),
                (
                    "identifier",
                    models.CharField(
                        help_text="Under it Stripe counts them once.", max_length=100, unique=True
                    ),
                ),
                ("quantity", models.PositiveBigIntegerField()),
                (
                    "at",
                    models.DateTimeField(
                        help_text="When they count for, in the time that the subscription lives in."
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "refusal",
                    models.CharField(
                        blank=True, help_text="Why Stripe did not take it, if so.", max_length=200
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PlanMovement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=netvexa.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("expansion", "Expansion"),
                            ("contraction", "Contraction"),
                            ("churn", "Churn"),
                            ("return", "Return"),
                        ],
                        max_length=16,
                    ),
                ),
                ("before_cents", models.PositiveIntegerField(help_text="A month, before it.")),
                ("after_cents", models.PositiveIntegerField(help_text="A month, after it.")),
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("starter", "Starter"),
                            ("growth", "Growth"),
                            ("professional", "Professional"),
                            ("business", "Business"),
                            ("enterprise", "Enterprise"),
                        ],
                        max_length=16,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="UsageHour",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=netvexa.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("answers", "Answers"),
                            ("tokens", "Tokens"),
                            ("pages", "Pages"),
                            ("storage", "Bytes of storage"),
                            ("seats", "Seats"),
                            ("api_calls", "API calls"),
                        ],
                        max_length=16,
                    ),
                ),
                ("hour", models.DateTimeField(help_text="Its beginning.")),
                ("quantity", models.BigIntegerField(default=0)),
                ("cost_micro_usd", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.AddField(
            model_name="entitlement",
            name="overage_cap_usd",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="What answers beyond the plan may cost in a month, in US dollars; empty: there are none.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="entitlement",
            name="overage_status",
            field=models.CharField(
                blank=True,
                help_text="Stripe's word for the subscription of what is beyond the plan.",
                max_length=24,
            ),
        ),
        migrations.AddField(
            model_name="usagebucket",
            name="over",
            field=models.PositiveBigIntegerField(
                default=0, help_text="How many of them are beyond the plan."
            ),
        ),
        migrations.AlterField(
            model_name="usagebucket",
            name="kind",
            field=models.CharField(
                choices=[
                    ("answers", "Answers"),
                    ("tokens", "Tokens"),
                    ("pages", "Pages"),
                    ("storage", "Bytes of storage"),
                    ("seats", "Seats"),
                    ("api_calls", "API calls"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="usagebucket",
            name="used",
            field=models.PositiveBigIntegerField(
                default=0,
                help_text="Reserved and settled together; of pages, storage and seats what there is.",
            ),
        ),
        migrations.AlterField(
            model_name="usageentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("answers", "Answers"),
                    ("tokens", "Tokens"),
                    ("pages", "Pages"),
                    ("storage", "Bytes of storage"),
                    ("seats", "Seats"),
                    ("api_calls", "API calls"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="usageentry",
            index=models.Index(fields=["created_at"], name="usage_by_time"),
        ),
        migrations.AddField(
            model_name="overageevent",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.workspace"
            ),
        ),
        migrations.AddField(
            model_name="planmovement",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.workspace"
            ),
        ),
        migrations.AddField(
            model_name="usagehour",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.workspace"
            ),
        ),
        migrations.AddConstraint(
            model_name="overageevent",
            constraint=models.UniqueConstraint(
                fields=("workspace", "period", "number"), name="overage_event_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="usagehour",
            constraint=models.UniqueConstraint(fields=("workspace", "kind", "hour"), name="usage_hour_once"),
        ),
        migrations.CreateModel(
            name="BusinessFigures",
            fields=[],
            options={
                "verbose_name_plural": "business figures",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("billing.planmovement",),
        ),
        protect("billing_usagehour"),
        read_only("billing_usagehour"),
        protect("billing_overageevent"),
        read_only("billing_overageevent"),
        protect("billing_planmovement"),
        only_platform("billing_planmovement"),
        only_platform("billing_acquisitionspend"),
    ]
