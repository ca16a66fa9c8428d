from django.db import migrations

from tenants.rls import append_only, protect


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]

    operations = [
        protect("tenants_membership"),
        protect("tenants_invitation"),
        protect("tenants_apikey"),
        protect("tenants_auditevent"),
        append_only("tenants_auditevent"),
    ]
