"""Pages of a workspace's host about the workspace itself, each a namespace of its own."""

from __future__ import annotations

from django.urls import URLPattern, include, path

from netvexa.pages import leaving, plan
from tenants.views import keys, workspace

_WORKSPACE: list[URLPattern] = [
    path("settings/", workspace.settings_page, name="settings"),
    path("settings/delete/", leaving.delete, name="delete"),
    path("audit-log/", workspace.audit_log, name="audit"),
    path("audit-log/verify/", workspace.verify_audit_log, name="verify_audit"),
    path("audit-log/export.<str:kind>", workspace.audit_export, name="export_audit"),
    path("plan/", plan.plan_page, name="plan"),
]
_KEYS: list[URLPattern] = [
    path("", keys.key_list, name="list"),
    path("new/", keys.create_key, name="create"),
    path("<uuid:key_id>/rotate/", keys.rotate_key, name="rotate"),
    path("<uuid:key_id>/revoke/", keys.revoke_key, name="revoke"),
]
urlpatterns = [
    path("members/", include("netvexa.pages.member_urls")),
    path("leads/", include("chat.lead_urls")),
    path("privacy/", include("chat.privacy_urls")),
    path("plan/", include("billing.workspace_urls")),
    path("costs/", include("chat.cost_urls")),
    path("improve/", include("chat.improve_urls")),
    path("api-keys/", include((_KEYS, "keys"))),
    path("", include((_WORKSPACE, "workspace"))),
]
