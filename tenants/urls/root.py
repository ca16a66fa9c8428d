"""On the root host."""

from __future__ import annotations

from django.urls import path

from tenants.views import confirmations, entry, invitations, passwords, signup

app_name = "tenants"
urlpatterns = [
    path("sign-up/", signup.sign_up_page, name="sign_up"),
    path("sign-up/address/", signup.slug_check, name="slug_check"),
    path("log-in/", entry.log_in, name="log_in"),
    path("log-in/code/", entry.log_in_code, name="log_in_code"),
    path("log-out/", entry.log_out, name="log_out"),
    path("password/", passwords.ask, name="password"),
    path("password/<str:uid>/<str:token>/", passwords.choose, name="password_set"),
    path("e-mail/<str:token>/", confirmations.change_email, name="email_change"),
    path("confirm/<str:token>/", confirmations.confirm, name="confirm"),
    path("confirm/", confirmations.ask_again, name="ask_confirmation"),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("workspaces/", entry.workspaces, name="workspaces"),
    path("workspaces/new/", signup.new_workspace, name="new_workspace"),
    path("workspaces/<uuid:workspace_id>/", entry.switch, name="switch"),
]
