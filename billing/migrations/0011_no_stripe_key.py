"""Stripe's secret key is not kept in the database; a row is made anew, with a digest, when dj-stripe next needs one."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0010_tenant_role"), ("djstripe", "0002_initial")]
    operations = [
        migrations.RunSQL(
            "DELETE FROM djstripe_apikey WHERE secret NOT LIKE 'sha256:%'", migrations.RunSQL.noop
        )
    ]
