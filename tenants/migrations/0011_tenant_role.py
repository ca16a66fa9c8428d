from django.db import migrations, models

from tenants.postgresql.base import TENANT_WORK
from tenants.rls import APP, OWN_WORKSPACE, open_to_tenants, show_tenants_only

_INCLUDE = """
    DO $$ DECLARE name text; BEGIN
      FOR name IN SELECT tablename FROM pg_policies WHERE schemaname = 'public' AND policyname = 'own_workspace'
      LOOP EXECUTE format('ALTER POLICY own_workspace ON public.%I TO {roles}', name); END LOOP;
    END $$;
"""
# A column that is added later is shut until a migration opens it, and the password never is.
_PERSON = (
    "id, email, name, avatar, is_staff, is_superuser, is_active, email_confirmed_at, date_joined, last_login"
)


class Migration(migrations.Migration):
    """What work in workspaces may do with the tables of this app; everything that is not named, nothing."""

    dependencies = [("tenants", "0010_addresses")]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="own_role",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="The database's role that only this workspace works as; empty where it shares one.",
                max_length=63,
            ),
        ),
        migrations.RunSQL(
            sql=_INCLUDE.format(roles=f"{APP}, {TENANT_WORK}"), reverse_sql=_INCLUDE.format(roles=APP)
        ),
        open_to_tenants("tenants_workspace", "SELECT, UPDATE (name, time_zone, two_factor_required)"),
        show_tenants_only("tenants_workspace", f"id = {OWN_WORKSPACE}"),
        open_to_tenants("tenants_user", f"SELECT ({_PERSON})"),
        show_tenants_only(
            "tenants_user", "EXISTS (SELECT FROM tenants_membership WHERE user_id = tenants_user.id)"
        ),
        open_to_tenants("tenants_membership", "SELECT"),
        open_to_tenants("tenants_auditevent", "SELECT, INSERT"),
        open_to_tenants("tenants_privacysettings", "SELECT, INSERT, UPDATE"),
        open_to_tenants("tenants_erasurereceipt", "SELECT, INSERT"),
    ]
