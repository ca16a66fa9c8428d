from django.db import migrations

from tenants.rls import only_platform


class Migration(migrations.Migration):
    """Stripe's objects are read by billing as the platform only; a workspace's own requests see none of them."""

    dependencies = [("billing", "0002_row_level_security"), ("djstripe", "0002_initial")]

    operations = [only_platform("djstripe_")]
