from django.db import migrations

from tenants.rls import read_only


class Migration(migrations.Migration):
    """An address decides whose workspace a request is for: only sign-up and staff give one."""

    dependencies = [("tenants", "0009_privacy")]

    operations = [read_only("tenants_domain")]
