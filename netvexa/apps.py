"""The roof: the staff's admin site, and the commands that combine apps."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """Django's own admin under the strict Content-Security-Policy, at the admin host only."""

    default_site = "netvexa.admin.StaffAdminSite"


class RoofConfig(AppConfig):
    """Carries the management commands that combine apps; it has no models."""

    name = "netvexa"

    def ready(self) -> None:
        from tenants.sealed_authenticators import seal_authenticators  # its models exist only now

        seal_authenticators()
