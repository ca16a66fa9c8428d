"""On a workspace's host."""

from __future__ import annotations

from django.urls import path

from tenants.views import account, confirmations, entry, sign_on

app_name = "tenants"
urlpatterns = [
    path("enter/", entry.enter, name="enter"),
    path("log-in/", entry.log_in, name="log_in"),
    path("log-in/code/", entry.log_in_code, name="log_in_code"),
    path("log-in/with/<slug:provider>/", sign_on.begin, name="sign_on"),
    path("log-in/with/<slug:provider>/done/", sign_on.finish, name="sign_on_done"),
    path("log-out/", entry.log_out, name="log_out"),
    path("confirm/", confirmations.ask_again, name="ask_confirmation"),
    path("workspace-menu/", entry.workspace_menu, name="workspace_menu"),
    path("switch/<uuid:workspace_id>/", entry.switch, name="switch"),
    path("account/", account.account_page, name="account"),
    path("account/e-mail/", account.ask_email_change, name="ask_email_change"),
    path("account/e-mail/take-back/", account.take_back_email_change, name="take_back_email_change"),
    path("account/password/", account.change_password, name="change_password"),
    path("account/devices/", account.end_other_sessions, name="end_other_sessions"),
    path("account/devices/<str:login_id>/", account.end_session, name="end_session"),
]
