from django.db import migrations

from tenants.rls import protect


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial"), ("tenants", "0002_row_level_security")]

    operations = [
        protect("billing_entitlement"),
        protect("billing_usageentry"),
        protect("billing_usagebucket"),
    ]
