"""People, workspaces and who may enter which: the public schema."""

from __future__ import annotations

import hashlib
import hmac
from importlib import import_module
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django_otp.models import Device
from django_tenants.models import DomainMixin, TenantMixin

from netvexa.lib.ids import new_id, short_id

slug_validator = RegexValidator(
    r"^[a-z0-9]([a-z0-9-]{1,38})[a-z0-9]$",
    "Use 3 to 40 lower-case letters, digits and hyphens, with a letter or digit at both ends.",
)


class UserManager(BaseUserManager["User"]):
    """Creates people; the e-mail address is the log-in name and is kept in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # of devices, untyped
    """A person who logs in: to the dashboard of their workspaces, or (staff) to the admin."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=120, blank=True)
    avatar = models.FileField(upload_to="faces", blank=True, help_text="Visitors see it beside the name.")
    is_staff = models.BooleanField(default=False, help_text="May enter the admin of the platform.")
    is_active = models.BooleanField(default=True)
    email_confirmed_at = models.DateTimeField(null=True, blank=True)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_ci_unique")]

    def __str__(self) -> str:
        return self.email

    @property
    def display_name(self) -> str:
        return self.name or self.email.split("@")[0]


class Session(AbstractBaseSession):
    """A browser that is logged in at one host; see `tenants.sessions`."""

    user_id = models.UUIDField(null=True, db_index=True)
    login_id = models.CharField(max_length=32, blank=True, db_index=True)
    device = models.CharField(max_length=300, blank=True, help_text="What the browser calls itself.")
    address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now, editable=False)

    @classmethod
    def get_session_store_class(cls) -> type[Any]:
        engine: type[Any] = import_module(settings.SESSION_ENGINE).SessionStore
        return engine


class RecoveryCodesManager(models.Manager["RecoveryCodes"]):
    """What django-otp asks of a device's manager."""

    def devices_for_user(self, user: User, confirmed: bool | None = None) -> models.QuerySet[RecoveryCodes]:
        return self.filter(user=user) if confirmed is not False else self.none()


class RecoveryCodes(Device):
    """The codes that let a person in who has lost their authenticator. Each works once; only hashes are kept.

    A device of django-otp like an authenticator, so that log-in asks both by the same call.
    """

    hashes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[RecoveryCodesManager] = RecoveryCodesManager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user"], name="recovery_codes_once")]

    @staticmethod
    def hash_of(code: str) -> str:
        """A code carries 80 random bits, so a fast hash is enough; case, spaces and hyphens do not matter."""
        plain = "".join(letter for letter in code.lower() if letter.isalnum())
        return hashlib.sha256(plain.encode()).hexdigest()

    def verify_token(self, token: str) -> bool:
        """Whether this is one of the codes; it is used up by this. The row is locked by the caller."""
        given = self.hash_of(token)
        left = [kept for kept in self.hashes if not hmac.compare_digest(kept, given)]
        if len(left) == len(self.hashes):
            return False
        self.hashes = left
        self.save(update_fields=["hashes"])
        return True


class Passkey(Device):
    """A passkey or security key (WebAuthn) of a person: a second factor that no false page can ask for.

    Only the public half of its key is known here. See `tenants.passkeys`.
    """

    credential_id = models.TextField(unique=True, help_text="As the browser names it: base64url.")
    rp_id = models.CharField(max_length=253, help_text="The domain that it was made for.")
    public_key = models.BinaryField(help_text="COSE.")
    sign_count = models.BigIntegerField(default=0, help_text="How often it has signed, as it says itself.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)


class KnownDevice(models.Model):
    """A browser, or a kind of browser on a network, that a person has logged in with before."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    mark_hash = models.CharField(max_length=64)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "mark_hash"], name="known_device_once")
        ]


class EmailChange(models.Model):
    """A new address that a person asked for; it holds once both the old and the new one have agreed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    old_email = models.EmailField()
    new_email = models.EmailField()
    old_agreed_at = models.DateTimeField(null=True)
    new_agreed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)


class ProvisioningState(models.TextChoices):
    """How far a workspace's schema is; only READY may be entered."""

    PENDING = "pending"
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"
    SUSPENDED = "suspended"


class Workspace(TenantMixin):
    """One customer: a schema of its own, entered only when its state is READY."""

    auto_create_schema = False
    auto_drop_schema = False

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=16, unique=True, default=short_id, editable=False)
    slug = models.CharField("address", max_length=40, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    state = models.CharField(
        max_length=16, choices=ProvisioningState.choices, default=ProvisioningState.PENDING
    )
    two_factor_required = models.BooleanField(
        default=False, help_text="Members without a second factor set one up before anything else."
    )
    trial_ends_at = models.DateTimeField(null=True, blank=True, help_text="Later than usual, given by staff.")
    own_role = models.CharField(
        max_length=63,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The database's role that only this workspace works as; empty where it shares one.",
    )
    step = models.CharField(max_length=40, blank=True, help_text="The provisioning step that was reached.")
    error = models.TextField(blank=True, help_text="Why provisioning failed.")
    deletion_asked_by = models.CharField(max_length=254, blank=True, editable=False)
    deletion_due_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When everything of it is deleted."
    )

    def __str__(self) -> str:
        return self.name

    @property
    def is_ready(self) -> bool:
        return self.state == ProvisioningState.READY

    @property
    def email(self) -> str:
        """Where Stripe writes to: the first owner's address."""
        owner = self.memberships.filter(role=Role.OWNER).select_related("user").order_by("created_at").first()
        return owner.user.email if owner else ""


def schema_name_of(key: str) -> str:
    """The schema of the workspace with this key; the key never changes, so neither does the schema."""
    return f"ws_{key}"


class Domain(DomainMixin):
    """A host name that leads to a workspace."""


class Role(models.TextChoices):
    """What a member is in a workspace; what each may do stands in `tenants.access.PERMISSIONS`."""

    OWNER = "owner"
    ADMIN = "admin"
    AGENT = "agent", "Support agent"
    VIEWER = "viewer"


class WorkspaceOwned(models.Model):
    """A row of the public schema that belongs to one workspace: guarded by Row Level Security.

    The policies are made by `tenants.rls.protect` in the migration that makes the table.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Sets of memberships."""

    def with_people(self) -> Self:
        """Each with its person, without the password, which work in workspaces may not read."""
        return self.select_related("user").defer("user__password")


class Membership(WorkspaceOwned):
    """A person in a workspace, with a role."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.AGENT)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}"


class Invitation(WorkspaceOwned):
    """An offer of membership, sent by e-mail; only the hash of its token is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.AGENT)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.email} to {self.workspace}"


class ApiKey(WorkspaceOwned):
    """A credential of an integrator: shown once, kept as a hash."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=24, help_text="The start of the key, to recognise it by.")
    key_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    allowed_addresses = models.JSONField(default=list, help_text="Networks it works from; none is any.")
    hourly_limit = models.PositiveIntegerField(
        null=True, help_text="Calls an hour, where it is to have fewer than the plan includes."
    )
    replaced_by = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_live(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


class TokenGrant(WorkspaceOwned):
    """What a pair of tokens stands on: an API key or a member. Revoked, no token of it works any more."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, null=True, related_name="+")
    member = models.ForeignKey(Membership, on_delete=models.CASCADE, null=True, related_name="+")
    scopes = models.JSONField(default=list)
    refresh_jti = models.CharField(max_length=64, help_text="The only refresh token that still works.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(key=None) ^ models.Q(member=None), name="grant_stands_on_one"
            )
        ]


class DataKey(WorkspaceOwned):
    """A workspace's data key, wrapped by a master key; see `tenants.data_keys`."""

    generation = models.PositiveIntegerField()
    wrapped = models.TextField()
    wrapped_by = models.CharField(max_length=200, help_text="The name of the master key.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "generation"], name="data_key_once")
        ]


class PrivacySettings(WorkspaceOwned):
    """How long a workspace keeps what, and what it does not want to be told; no row is the defaults."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="+")
    retention = models.JSONField(default=dict, help_text="Kind to days, see `chat.retention`.")
    masks_contacts = models.BooleanField(
        default=False, help_text="Addresses and telephone numbers in messages are not stored."
    )


class ErasureReceipt(WorkspaceOwned):
    """That a person, or a whole workspace, was erased: how much, when, and nothing of whom. Rows are only added.

    See `tenants.receipts`; a workspace's own last receipt outlives it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now, editable=False)
    actor = models.CharField(max_length=254, help_text="Who erased; 'visitor' for the person's own doing.")
    subject_mark = models.CharField(max_length=64, help_text="HMAC of what the person was looked for by.")
    counts = models.JSONField(help_text="Kind to how many.")
    digest = models.CharField(max_length=64, help_text="HMAC of all of the above.")

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["workspace", "-at"])]

    def __str__(self) -> str:
        return str(self.pk)


class AuditEvent(WorkspaceOwned):
    """Who did what, to what, from where. The application may add rows and read them, nothing else."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(  # type: ignore[assignment]  # null for what staff do to no workspace
        Workspace, on_delete=models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    actor_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=254, help_text="E-mail, API key or 'system', as it was then.")
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    address = models.GenericIPAddressField(null=True)
    number = models.PositiveBigIntegerField(
        null=True, editable=False, help_text="Its place in the workspace's chain."
    )
    digest = models.CharField(
        max_length=64, blank=True, editable=False, help_text="HMAC of the row and of the digest before it."
    )
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["workspace", "-at"])]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "number"], name="audit_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action}"
