from django.db import migrations, models

from tenants.rls import append_only


class Migration(migrations.Migration):
    """The ledger only grows: what became of a reservation is a line of its own."""

    dependencies = [("billing", "0004_subscriptions")]

    operations = [
        migrations.RemoveField(model_name="usageentry", name="settled_at"),
        migrations.AddField(
            model_name="usageentry",
            name="reservation",
            field=models.UUIDField(
                blank=True,
                help_text="The reserved line that this one settles or releases.",
                null=True,
                unique=True,
            ),
        ),
        migrations.AlterField(
            model_name="usageentry",
            name="quantity",
            field=models.BigIntegerField(
                default=1, help_text="1 when reserved, 0 when settled, -1 when given back."
            ),
        ),
        append_only("billing_usageentry"),
    ]
