"""The admin site of NETVEXA's staff."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """Django's own admin under the strict Content-Security-Policy, at the admin host only."""

    default_site = "netvexa.admin.StaffAdminSite"
