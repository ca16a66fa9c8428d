"""Deleting a workspace: an owner asks for it here, and can take it back from the page that then stands for all."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from netvexa import departure
from netvexa.lib.errors import AppError, NotAllowed, NotFound
from tenants import audit, proof
from tenants.access import (
    MemberRequest,
    Permission,
    allows,
    member_required,
    membership_for_switch,
    signed_in,
)
from tenants.context import platform
from tenants.models import Workspace


class DeleteForm(forms.Form):
    """The workspace's name and one's own password."""

    name = forms.CharField(max_length=80, label="Name", widget=forms.TextInput({"autocomplete": "off"}))
    password = forms.CharField(
        max_length=4096,
        label="Your password",
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )

    def __init__(self, data: object = None, *, request: MemberRequest) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.request = request

    def clean_name(self) -> str:
        given = str(self.cleaned_data["name"])
        if given.strip() != self.request.workspace.name.strip():
            raise forms.ValidationError("This is not the name of the workspace. Nothing was deleted.")
        return given

    def clean_password(self) -> str:
        given = str(self.cleaned_data["password"])
        try:
            proof.by_password(self.request, email=self.request.user.email, password=given)
        except AppError as error:
            problem = "This is not your password. Nothing was deleted."
            raise forms.ValidationError(
                problem if isinstance(error, proof.WrongLogIn) else error.detail
            ) from error
        return given


@member_required(Permission.DELETE_WORKSPACE)
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: MemberRequest) -> HttpResponse:
    """Say what goes, and close the workspace once name and password are typed."""
    form = DeleteForm(request.POST if request.method == "POST" else None, request=request)
    if request.method == "POST" and form.is_valid():
        departure.begin(request.workspace, asked_by=request.user.email)
        audit.record("workspace.deletion_asked", request=request, subject=request.workspace.slug)
        return redirect("/")
    context = {"form": form, "days": departure.GRACE.days}
    return render(request, "app/delete_workspace.html", context, status=422 if form.errors else 200)


@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Take the deletion back; for owners, on the page that a closed workspace shows."""
    workspace: Workspace = request.workspace  # type: ignore[attr-defined]  # set by HostMiddleware
    if not request.user.is_authenticated:
        raise NotFound
    member = membership_for_switch(signed_in(request), workspace.pk)
    if not allows(member, Permission.DELETE_WORKSPACE):
        raise NotAllowed("Ask an owner of the workspace to take the deletion back.")
    with platform():
        departure.take_back(workspace)
        audit.record(
            "workspace.deletion_taken_back", request=request, subject=workspace.slug, workspace=workspace
        )
    messages.success(request, "Welcome back: the workspace is as it was. See under Plan whether it renews.")
    return redirect("/")
