from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_ledger"), ("tenants", "0005_trial")]

    operations = [
        migrations.CreateModel(
            name="BilledWorkspace",
            fields=[],
            options={
                "verbose_name": "money of a workspace",
                "verbose_name_plural": "money of workspaces",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("tenants.workspace",),
        ),
    ]
