from django.db import migrations

from tenants.rls import only_platform, read_only


class Migration(migrations.Migration):
    """A workspace's own requests read its plan but never set it, and see nothing of Stripe's objects."""

    dependencies = [("billing", "0002_row_level_security"), ("djstripe", "0002_initial")]

    operations = [read_only("billing_entitlement"), only_platform("djstripe_")]
