"""What people type about themselves, their workspaces and their team."""

from __future__ import annotations

import zoneinfo
from typing import Any, ClassVar

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from netvexa.lib.pictures import PictureRefused, check_picture
from tenants import attempts
from tenants.keys import Scope
from tenants.models import Role, User, Workspace, slug_validator
from tenants.signup import EmailTaken, NewPerson, NewWorkspace, SlugTaken, slug_is_free, suggest_slug

WRONG_LOG_IN = "The e-mail address and the password do not match."


def time_zone_or_utc(given: str) -> str:
    """`given` if it is a time zone that is known here."""
    return given if given in zoneinfo.available_timezones() else "UTC"


class WorkspaceForm(forms.Form):
    """Name and address of a new workspace."""

    workspace_name = forms.CharField(label="Workspace name", max_length=80, help_text="Usually your company.")
    slug = forms.CharField(
        label="Address",
        min_length=3,
        max_length=40,
        required=False,  # left empty, it is made from the name
        validators=[slug_validator],
        help_text="Where your team logs in. It cannot be changed later.",
    )
    time_zone = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"] or suggest_slug(self.cleaned_data.get("workspace_name", ""))
        if not slug_is_free(slug):
            raise ValidationError(SlugTaken.default_detail)
        return slug

    def clean_time_zone(self) -> str:
        return time_zone_or_utc(self.cleaned_data["time_zone"])

    def workspace(self) -> NewWorkspace:
        return NewWorkspace(
            name=self.cleaned_data["workspace_name"],
            slug=self.cleaned_data["slug"],
            time_zone=self.cleaned_data["time_zone"],
        )


class PersonForm(forms.Form):
    """Name, e-mail address and password of a new account."""

    name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput({"autocomplete": "name"})
    )
    email = forms.EmailField(
        label="Work e-mail", max_length=254, widget=forms.EmailInput({"autocomplete": "email"})
    )
    password = forms.CharField(
        strip=False,
        max_length=256,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text="At least 10 characters. A few words in a row work well.",
    )

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(email=email).exists():
            raise ValidationError(EmailTaken.default_detail, code="email_taken")
        return email

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if password := given.get("password"):
            person = User(email=given.get("email", ""), name=given.get("name", ""))
            try:
                validate_password(password, person)
            except ValidationError as error:
                self.add_error("password", error)
        return given

    def person(self) -> NewPerson:
        return NewPerson(**{name: self.cleaned_data[name] for name in ("name", "email", "password")})


class SignUpForm(WorkspaceForm, PersonForm):
    """Account and workspace in one go."""

    field_order = ("name", "email", "password", "workspace_name", "slug", "time_zone")


class LogInForm(forms.Form):
    """E-mail address and password; wrong ones look alike, and so do the unknown."""

    email = forms.EmailField(
        label="E-mail", max_length=254, widget=forms.EmailInput({"autocomplete": "username"})
    )
    password = forms.CharField(
        strip=False, max_length=256, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: User | None = None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.errors:
            return given
        email = given["email"].lower()
        try:
            attempts.count(attempts.LOG_IN_BY_ADDRESS, self.request.META.get("REMOTE_ADDR", ""))
            attempts.count(attempts.LOG_IN_BY_ACCOUNT, email)
        except attempts.TooManyAttempts as error:
            raise ValidationError(error.detail, code=error.code) from None
        user = authenticate(self.request, username=email, password=given["password"])
        if not isinstance(user, User):
            raise ValidationError(WRONG_LOG_IN)
        attempts.forgive(attempts.LOG_IN_BY_ACCOUNT, email)
        self.user = user
        return given


class EmailForm(forms.Form):
    """One e-mail address."""

    email = forms.EmailField(
        label="E-mail", max_length=254, widget=forms.EmailInput({"autocomplete": "email"})
    )


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label="E-mail", max_length=254)
    role = forms.ChoiceField(choices=Role.choices, initial=Role.AGENT)


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(choices=Role.choices)


class ApiKeyForm(forms.Form):
    """Name and scopes of a new API key."""

    name = forms.CharField(max_length=80, help_text="What it is for, such as “Website back end”.")
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Scope], widget=forms.CheckboxSelectMultiple
    )


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What an admin may change about the workspace."""

    time_zone = forms.ChoiceField(
        choices=[(zone, zone.replace("_", " ")) for zone in sorted(zoneinfo.available_timezones())],
        help_text="Times in the dashboard are shown in this time zone.",
    )

    class Meta:
        model = Workspace
        fields = ("name", "time_zone")


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What a person may change about themselves."""

    class Meta:
        model = User
        fields = ("name", "email")
        help_texts: ClassVar = {
            "name": "Visitors read it when you answer them.",
            "email": "Your log-in name. A new address has to be confirmed.",
        }

    picture = forms.FileField(
        required=False,
        widget=forms.FileInput({"accept": "image/png,image/jpeg,image/gif,image/webp"}),
        help_text="Visitors see it when you answer them. PNG, JPEG, GIF or WebP, at most 1 MB.",
    )
    remove_picture = forms.BooleanField(required=False, label="Remove the picture")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        return email

    def clean_picture(self) -> UploadedFile[bytes] | None:
        upload: UploadedFile[bytes] | None = self.cleaned_data["picture"]
        if upload is not None:
            try:
                check_picture(upload)
            except PictureRefused as error:
                raise ValidationError(error.detail) from None
        return upload


class InvitedPersonForm(PersonForm):
    """An invited person without an account makes one; the address is the invitation's."""

    email = None  # type: ignore[assignment]  # how Django takes a field out


class ChangePasswordForm(PasswordChangeForm):
    """Another password; on a page with other forms, so it does not take the focus."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs.pop("autofocus", None)
