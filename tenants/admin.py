"""Workspaces, people and what happened, for NETVEXA's staff. Works as the platform's role."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import BaseUserCreationForm, UserChangeForm
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from tenants import audit, closing, mail, second_factor, sessions
from tenants.models import (
    ApiKey,
    AuditEvent,
    Domain,
    Invitation,
    Membership,
    ProvisioningState,
    User,
    Workspace,
)
from tenants.provisioning import provision


class ReadOnly:
    """Mixed into an admin page whose rows are only looked at."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Noted:
    """Mixed into an admin page whose rows are changed: what staff do stands in the log of each workspace concerned.

    Of a person these are all that they are a member of. Django tells what was changed by the names of the fields.
    """

    audited: ClassVar[str]  # what is changed, as the audit log calls it

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._note(request, [obj], "created", message)
        return super().log_addition(request, obj, message)  # type: ignore[misc]  # of ModelAdmin, like the next two

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._note(request, [obj], "changed", message)
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        self._note(request, queryset, "deleted", [])
        return super().log_deletions(request, queryset)  # type: ignore[misc]

    def _note(self, request: HttpRequest, rows: Iterable[Model], done: str, message: Any) -> None:
        after = {"by": "NETVEXA's staff", "changes": message}
        for row in rows:
            for place in _places_of(row):
                action = f"{self.audited}.{done}"
                audit.record(action, request=request, subject=str(row), after=after, workspace=place)


def _places_of(row: Model) -> list[Workspace | None]:
    """Whose log tells of this row."""
    if isinstance(row, Workspace):
        return [row]
    if isinstance(row, Membership):
        return [row.workspace]
    if isinstance(row, User):
        return audit.places_of(row)
    raise TypeError(f"Nobody said whose log tells of {row!r}.")


class DomainInline(admin.TabularInline):  # type: ignore[type-arg]
    """Host names of a workspace."""

    model = Domain
    extra = 0


class MemberInline(admin.TabularInline):  # type: ignore[type-arg]
    """People of a workspace."""

    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Workspace)
class WorkspaceAdmin(Noted, admin.ModelAdmin):  # type: ignore[type-arg]
    """Workspaces and how far their provisioning is. They are made by signing up, never here."""

    audited = "workspace"

    list_display = ("name", "slug", "state", "step", "error", "created_at")
    list_filter = ("state",)
    search_fields = ("name", "slug", "key", "memberships__user__email")
    readonly_fields = ("id", "key", "schema_name", "slug", "state", "step", "error", "created_at")
    fields = ("name", "time_zone", *readonly_fields)
    inlines = (DomainInline, MemberInline)
    actions = ("retry_provisioning", "suspend", "resume")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.action(description="Try provisioning again")
    def retry_provisioning(self, request: HttpRequest, rows: QuerySet[Workspace]) -> None:
        for workspace in rows.exclude(state__in=(ProvisioningState.READY, ProvisioningState.SUSPENDED)):
            provision(workspace)
            audit.record("workspace.provision", request=request, subject=workspace.slug, workspace=workspace)
            level = messages.SUCCESS if workspace.is_ready else messages.ERROR
            self.message_user(
                request, f"{workspace}: {workspace.get_state_display()} {workspace.error}", level
            )

    @admin.action(description="Suspend: nobody enters until it is resumed")
    def suspend(self, request: HttpRequest, rows: QuerySet[Workspace]) -> None:
        self._move(request, rows, ProvisioningState.READY, ProvisioningState.SUSPENDED)

    @admin.action(description="Resume a suspended workspace")
    def resume(self, request: HttpRequest, rows: QuerySet[Workspace]) -> None:
        self._move(request, rows, ProvisioningState.SUSPENDED, ProvisioningState.READY)

    def _move(
        self,
        request: HttpRequest,
        rows: QuerySet[Workspace],
        before: ProvisioningState,
        after: ProvisioningState,
    ) -> None:
        for workspace in rows.filter(state=before):
            workspace.state = after
            workspace.save(update_fields=["state"])
            if after == ProvisioningState.SUSPENDED:
                transaction.on_commit(partial(closing.tell, workspace))
            audit.record(
                "workspace.state",
                request=request,
                subject=workspace.slug,
                before={"state": before.value},
                after={"state": after.value},
                workspace=workspace,
            )


class NewUserForm(BaseUserCreationForm):  # type: ignore[type-arg]
    """A new person: e-mail address and password."""

    class Meta:
        model = User
        fields = ("email",)


class UserForm(UserChangeForm):  # type: ignore[type-arg]
    """A person's account."""

    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(Noted, DjangoUserAdmin):  # type: ignore[type-arg]
    """People, staff among them."""

    audited = "user"

    form = UserForm
    add_form = NewUserForm
    ordering = ("email",)
    list_display = ("email", "name", "is_staff", "is_active", "email_confirmed_at", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "date_joined")
    actions = ("remove_second_factor",)
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "email_confirmed_at", "is_active")}),
        ("Staff", {"fields": ("is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)

    @admin.action(description="Remove the second factor: the person lost it and proved who they are")
    def remove_second_factor(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        for person in rows:
            second_factor.remove(person)
            sessions.end_all(person)
            audit.record_of_person("two_factor.removed_by_staff", request=request, person=person)
            what = "Two-factor log-in was removed by our staff"
            mail.send("account_changed", to=person.email, context={"person": person, "what": what})
        self.message_user(request, "Removed. They were logged out and told by mail.", messages.SUCCESS)


@admin.register(Membership)
class MembershipAdmin(Noted, admin.ModelAdmin):  # type: ignore[type-arg]
    """Who is in which workspace, as what."""

    audited = "member"

    list_display = ("user", "workspace", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "workspace")
    search_fields = ("user__email", "workspace__slug")
    autocomplete_fields = ("user", "workspace")


@admin.register(Invitation)
class InvitationAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Offers of membership; their tokens are kept as hashes only, and not shown."""

    list_display = ("email", "workspace", "role", "created_at", "expires_at", "accepted_at")
    search_fields = ("email", "workspace__slug")
    exclude = ("token_hash",)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """API keys: what they may do and when they were used; nothing that could be used as one."""

    list_display = ("name", "prefix", "workspace", "created_at", "last_used_at", "expires_at", "revoked_at")
    search_fields = ("name", "prefix", "workspace__slug")
    exclude = ("key_hash",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Who did what, to what, from where."""

    list_display = ("at", "actor", "action", "subject", "workspace", "address")
    list_filter = ("action",)
    list_select_related = ("workspace",)
    search_fields = ("actor", "action", "subject", "workspace__slug")
    date_hierarchy = "at"
