"""The admin site of NETVEXA's staff."""

from __future__ import annotations

from django.contrib.admin import AdminSite


class StaffAdminSite(AdminSite):
    """Django's own admin, at the admin host only."""

    site_header = "NETVEXA staff"
    site_title = "NETVEXA staff"
    index_title = "Platform"
    site_url = None
