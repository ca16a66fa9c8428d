"""The second factor of a person: an authenticator app or passkeys, and recovery codes for the day they are lost."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from uuid import UUID

import segno
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest
from django_otp import DEVICE_ID_SESSION_KEY, match_token, verify_token
from django_otp import login as mark_verified
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice

from netvexa.lib.errors import AppError
from tenants import attempts
from tenants.context import identity
from tenants.models import Passkey, RecoveryCodes, User, Workspace

CODES = 10
_LIMITS = (attempts.CODE_BY_ACCOUNT, attempts.CODE_BY_ACCOUNT_DAILY)
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 letters and digits; none looks like another
_GROUPS, _GROUP = 4, 4  # abcd-efgh-jkmn-pqrs: 80 random bits


class WrongCode(AppError):
    """The code is mistyped, too old, or was used already."""

    code = "wrong_code"
    status = 422
    default_detail = (
        "This code is not right. Codes change every 30 seconds and work once; check your device's clock."
    )


def is_verified(request: HttpRequest) -> bool:
    """Whether this session was begun, or raised since, with a second factor."""
    return bool(
        request.user.is_authenticated and getattr(request.user, "otp_device", None)
    )  # by OTPMiddleware


@identity()
def has_one(user: User) -> bool:
    """Whether the person has set up a second factor."""
    return has_authenticator(user) or bool(Passkey.objects.filter(user=user).exists())


@identity()
def has_authenticator(user: User) -> bool:
    """Whether the person has set up an authenticator app."""
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


@identity()
def holders(user_ids: Iterable[UUID]) -> set[UUID]:
    """Who of these people have one."""
    ids = list(user_ids)
    apps = TOTPDevice.objects.filter(user_id__in=ids, confirmed=True).values_list("user_id", flat=True)
    return set(apps.union(Passkey.objects.filter(user_id__in=ids).values_list("user_id", flat=True)))


@identity()
def codes_left(user: User) -> int:
    """How many recovery codes still work."""
    row = RecoveryCodes.objects.filter(user=user).first()
    return len(row.hashes) if row else 0


@identity()
def offer(user: User) -> TOTPDevice:
    """The authenticator that is being set up: the same until it is confirmed, so that a reload shows it again."""
    device, _ = TOTPDevice.objects.get_or_create(
        user=user, confirmed=False, defaults={"name": "Authenticator"}
    )
    device.user = user  # its address names the person
    return device


def qr_code(device: TOTPDevice) -> str:
    """The picture to scan, as an SVG element; dark on nothing, so it wants a light ground in every theme."""
    return segno.make(device.config_url, error="m").svg_inline(scale=5, border=0, omitsize=True)


def secret_of(device: TOTPDevice) -> str:
    """The same for typing, in groups of four letters."""
    letters = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def set_up(user: User, code: str) -> tuple[TOTPDevice, list[str]]:
    """Confirm the offered authenticator with a code of it; returns it and the recovery codes, shown now only.

    An earlier authenticator stops working. Raises WrongCode, TooManyAttempts.
    """
    attempts.count(attempts.CODE_BY_ACCOUNT, str(user.pk))
    with identity(), transaction.atomic():
        device = verify_token(user, offer(user).persistent_id, "".join(code.split()))
        if device is None:
            raise WrongCode
        TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        return device, new_codes(user)


@identity()
def new_codes(user: User) -> list[str]:
    """Ten recovery codes; the earlier ones stop working."""
    codes = [_code() for _ in range(CODES)]
    RecoveryCodes.objects.update_or_create(
        user=user,
        defaults={"name": "Recovery codes", "hashes": [RecoveryCodes.hash_of(code) for code in codes]},
    )
    return codes


def _code() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def check(user: User, code: str) -> Device:
    """The device whose code this is; a code works once, whoever else sends it meanwhile.

    Raises WrongCode, and TooManyAttempts after six wrong ones, even for the right one.
    """
    count_attempt(user)
    with identity():
        device = match_token(user, "".join(code.split()))
    if device is None:
        raise WrongCode
    forgive_attempts(user)
    return device


def count_attempt(user: User) -> None:
    """Count one attempt to prove the second factor, by code or passkey. Raises TooManyAttempts."""
    for limit in _LIMITS:
        attempts.count(limit, str(user.pk))


def forgive_attempts(user: User) -> None:
    """Forget the attempts of somebody who got it right."""
    for limit in _LIMITS:
        attempts.forgive(limit, str(user.pk))


def verify_session(request: HttpRequest, device: Device) -> None:
    """Mark this session as one with a second factor."""
    mark_verified(request, device)


def device_of_session(request: HttpRequest) -> str:
    """The id of the device this session was verified with, for handing the session over; or nothing."""
    return str(request.session.get(DEVICE_ID_SESSION_KEY, ""))


def is_enough(workspace: Workspace, user: User, session: SessionBase) -> bool:
    """Whether a session that did not come with a request is verified as far as the workspace wants it."""
    device_id = str(session.get(DEVICE_ID_SESSION_KEY, ""))
    return not workspace.two_factor_required or device_of(user, device_id) is not None


@identity()
def device_of(user: User, device_id: str) -> Device | None:
    """The person's own confirmed device with this id."""
    found = Device.from_persistent_id(device_id) if device_id else None
    return found if found is not None and found.user_id == user.pk and found.confirmed else None


def remove(user: User) -> None:
    """Back to the password alone. Sessions that were verified are no more."""
    with identity(), transaction.atomic():
        TOTPDevice.objects.filter(user=user).delete()
        Passkey.objects.filter(user=user).delete()
        RecoveryCodes.objects.filter(user=user).delete()
