from django.db import migrations

from tenants.rls import erasable_by_owner


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0009_privacy"),
        ("billing", "0005_ledger"),
    ]
    operations = [
        erasable_by_owner("tenants_auditevent"),
        erasable_by_owner("tenants_erasurereceipt"),
        erasable_by_owner("billing_usageentry"),
    ]
