"""On a workspace's host."""

from __future__ import annotations

from django.urls import path

from tenants.views import confirmations, entry, settings, team

app_name = "tenants"
urlpatterns = [
    path("enter/", entry.enter, name="enter"),
    path("log-in/", entry.log_in, name="log_in"),
    path("log-out/", entry.log_out, name="log_out"),
    path("confirm/", confirmations.ask_again, name="ask_confirmation"),
    path("switch/<uuid:workspace_id>/", entry.switch, name="switch"),
    path("members/", team.member_list, name="members"),
    path("members/invite/", team.invite, name="invite"),
    path("members/leave/", team.leave, name="leave"),
    path("members/<uuid:member_id>/role/", team.change_role, name="change_role"),
    path("members/<uuid:member_id>/remove/", team.remove_member, name="remove_member"),
    path("members/invitations/<uuid:invitation_id>/withdraw/", team.withdraw_invitation, name="withdraw_invitation"),
    path("api-keys/", team.api_keys, name="api_keys"),
    path("api-keys/new/", team.create_api_key, name="create_api_key"),
    path("api-keys/<uuid:key_id>/revoke/", team.revoke_api_key, name="revoke_api_key"),
    path("settings/", settings.workspace_settings, name="settings"),
    path("settings/audit-log/", settings.audit_log, name="audit_log"),
    path("account/", settings.account, name="account"),
    path("account/password/", settings.change_password, name="change_password"),
    path("account/devices/", settings.end_other_sessions, name="end_other_sessions"),
]
