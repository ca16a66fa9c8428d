"""`/members/` on a workspace's host."""

from __future__ import annotations

from django.urls import path

from netvexa.pages import members

app_name = "members"
urlpatterns = [
    path("", members.member_list, name="list"),
    path("invite/", members.invite, name="invite"),
    path("leave/", members.leave, name="leave"),
    path("<uuid:member_id>/role/", members.change_role, name="change_role"),
    path("<uuid:member_id>/remove/", members.remove, name="remove"),
    path("invitations/<uuid:invitation_id>/resend/", members.resend, name="resend"),
    path("invitations/<uuid:invitation_id>/withdraw/", members.withdraw, name="withdraw"),
]
