from django.db import migrations

from tenants.rls import open_to_tenants


class Migration(migrations.Migration):
    """What work in workspaces may do with the tables of this app; everything that is not named, nothing."""

    dependencies = [("billing", "0009_background"), ("tenants", "0011_tenant_role")]

    operations = [
        open_to_tenants("billing_entitlement", "SELECT"),
        open_to_tenants("billing_overageevent", "SELECT"),
        open_to_tenants("billing_usageentry", "SELECT, INSERT"),
        open_to_tenants("billing_usagebucket", "SELECT, INSERT, UPDATE"),
    ]
