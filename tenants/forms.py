"""What people type about themselves, their workspaces and their team."""

from __future__ import annotations

import zoneinfo
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django_otp.models import Device

from netvexa.lib.client import network_of
from netvexa.lib.pictures import PictureRefused, check_picture
from tenants import attempts, passkeys, proof, second_factor
from tenants.keys import Scope
from tenants.models import Role, User, Workspace, slug_validator
from tenants.signup import EmailTaken, NewPerson, NewWorkspace, SlugTaken, slug_is_free, suggest_slug

TOO_MANY_LOG_INS = (
    "Too many attempts. Wait a few minutes, or choose a new password by mail: the link is below."
)


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
        try:
            self.user = proof.by_password(self.request, email=given["email"], password=given["password"])
        except attempts.TooManyAttempts as error:
            raise ValidationError(TOO_MANY_LOG_INS, code=error.code) from None
        except proof.WrongLogIn as error:
            raise ValidationError(error.detail) from None
        return given


class CodeForm(forms.Form):
    """A code of the authenticator, or a recovery code; or the answer of a passkey, which needs no code."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        required=False,
        widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "text", "autofocus": True}),
        help_text="The six digits your authenticator app shows, or one of your recovery codes.",
    )

    passkey = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.user = request, user
        self.device: Device | None = None
        if not second_factor.has_authenticator(user):
            self.fields["code"].label = "Recovery code"
            self.fields["code"].help_text = "One of the codes that you kept when you added the passkey."

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.errors:
            return given
        try:
            self.device = self._device(given)
        except (attempts.TooManyAttempts, second_factor.WrongCode, passkeys.WrongPasskey) as error:
            raise ValidationError(error.detail, code=error.code) from None
        return given

    def _device(self, given: dict[str, Any]) -> Device:
        if given["passkey"]:
            return passkeys.check(self.request, self.user, given["passkey"])
        if not given["code"]:
            raise ValidationError({"code": "Type the code."})
        return second_factor.check(self.user, given["code"])


class PasswordAgainForm(forms.Form):
    """The password once more, before something that weakens the account."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        try:
            attempts.count(attempts.PASSWORD_AGAIN, str(self.user.pk))
        except attempts.TooManyAttempts as error:
            raise ValidationError(error.detail, code=error.code) from None
        if not self.user.check_password(password):
            raise ValidationError("This is not your password.")
        attempts.forgive(attempts.PASSWORD_AGAIN, str(self.user.pk))
        return password


class EmailChangeForm(PasswordAgainForm):
    """Another address, and the password."""

    email = forms.EmailField(
        label="New e-mail address", max_length=254, widget=forms.EmailInput({"autocomplete": "email"})
    )
    field_order = ("email", "password")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if email == self.user.email:
            raise ValidationError("This is your address already.")
        return email


class SetUpForm(PasswordAgainForm):
    """The first code of a new authenticator; the password too, unless the log-in is recent."""

    code = forms.CharField(
        label="Code from the app",
        max_length=10,
        widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, ask_password: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not ask_password:
            del self.fields["password"]


class NewPasskeyForm(PasswordAgainForm):
    """What to call a new passkey, and what it answered; the password too, unless the log-in is recent."""

    name = forms.CharField(
        max_length=64,
        help_text="So that you know it again, such as “Work laptop” or “Blue key”.",
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    passkey = forms.CharField(required=False, widget=forms.HiddenInput)
    field_order = ("name", "password")

    def __init__(self, *args: Any, ask_password: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not ask_password:
            del self.fields["password"]


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
    """Name, scopes and limits of a new API key."""

    name = forms.CharField(max_length=80, help_text="What it is for, such as “Website back end”.")
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Scope], widget=forms.CheckboxSelectMultiple
    )
    allowed_addresses = forms.CharField(
        required=False,
        max_length=2000,
        help_text="Networks it may be used from, such as 192.0.2.0/24, separated by commas. Empty: from anywhere.",
    )
    hourly_limit = forms.IntegerField(
        label="Calls an hour",
        required=False,
        min_value=10,
        max_value=1_000_000,
        help_text="So that this key cannot use up the whole plan's calls. Empty: all of them.",
    )

    def clean_allowed_addresses(self) -> list[str]:
        given = self.cleaned_data["allowed_addresses"].replace(",", " ").split()
        try:
            return [str(network_of(part)) for part in given]
        except ValueError as error:
            raise ValidationError(f"{error}. Use addresses such as 192.0.2.7 or 192.0.2.0/24.") from None


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What an admin may change about the workspace."""

    time_zone = forms.ChoiceField(
        choices=[(zone, zone.replace("_", " ")) for zone in sorted(zoneinfo.available_timezones())],
        help_text="Times in the dashboard are shown in this time zone.",
    )

    two_factor_required = forms.BooleanField(
        label="Require two-factor log-in",
        required=False,
        help_text="Members without it are led to set it up before anything else.",
    )

    class Meta:
        model = Workspace
        fields = ("name", "time_zone", "two_factor_required")

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_two_factor_required(self) -> bool:
        required: bool = self.cleaned_data["two_factor_required"]
        if required and not self.instance.two_factor_required and not second_factor.is_verified(self.request):
            raise ValidationError("Set up two-factor log-in for yourself first, on your account page.")
        return required


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What a person may change about themselves without further ado."""

    class Meta:
        model = User
        fields = ("name",)
        help_texts: ClassVar = {"name": "Visitors read it when you answer them."}

    picture = forms.FileField(
        required=False,
        widget=forms.FileInput({"accept": "image/png,image/jpeg,image/gif,image/webp"}),
        help_text="Visitors see it when you answer them. PNG, JPEG, GIF or WebP, at most 1 MB.",
    )
    remove_picture = forms.BooleanField(required=False, label="Remove the picture")

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
