"""Passkeys and security keys as a second factor: WebAuthn, checked by py_webauthn.

A page that makes or asks for one carries a challenge, which the session keeps: good for one answer, for five minutes,
and for what it was made for. A passkey is made for the root domain, so that it serves on every host. A root of a single
label (`localhost`) is no domain that browsers let a subdomain speak for; there each host has its own.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import urlsplit

import webauthn
from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from netvexa.lib.errors import AppError
from tenants import second_factor
from tenants.context import identity
from tenants.models import Passkey, User

CHALLENGE_SECONDS = 300
MOST = 20  # of one person
_CHALLENGE = "passkey_challenge"
_ANSWER_LENGTH = 16_384  # of any honest one a multiple

logger = logging.getLogger(__name__)


class Purpose(StrEnum):
    """What a challenge was made for; the answer to one is none to the other."""

    MAKE = "make"
    PROVE = "prove"


class WrongPasskey(AppError):
    """Unknown, somebody else's, of another site, too late or a second time: all look alike."""

    code = "wrong_passkey"
    status = 422
    default_detail = "This passkey did not work here. Try again, or use another way."


class CopiedPasskey(WrongPasskey):
    """It counts behind what it counted before: there are two of what cannot be copied."""

    code = "copied_passkey"
    default_detail = (
        "This passkey may have been copied: it counts its uses, and the count went back. Log in another way,"
        " remove it under Two-factor log-in, and add it again if it is yours."
    )


class TooManyPasskeys(AppError):
    """There is no end to what a person could add."""

    code = "too_many_passkeys"
    status = 409
    default_detail = f"You have {MOST} passkeys. Remove one that you do not use any more."


@identity()
def passkeys_of(user: User) -> list[Passkey]:
    """The person's passkeys, oldest first."""
    return list(Passkey.objects.filter(user=user).order_by("created_at", "pk"))


def usable_here(request: HttpRequest, user: User) -> list[Passkey]:
    """Those that browsers offer on this host: all of them, unless the root is no domain."""
    return [passkey for passkey in passkeys_of(user) if passkey.rp_id == _rp_id(request)]


def options_to_make(request: HttpRequest, user: User) -> str:
    """What `navigator.credentials.create()` is called with, as JSON; begins the challenge."""
    options = webauthn.generate_registration_options(
        rp_id=_rp_id(request),
        rp_name="NETVEXA",
        user_id=user.pk.bytes,
        user_name=user.email,
        user_display_name=user.display_name,
        challenge=_begin(request, Purpose.MAKE),
        exclude_credentials=_descriptors(usable_here(request, user)),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED,  # a second factor is asked for by name
            user_verification=UserVerificationRequirement.DISCOURAGED,  # the password came first
        ),
    )
    return webauthn.options_to_json(options)


def options_to_prove(request: HttpRequest, passkeys: Sequence[Passkey]) -> str:
    """What `navigator.credentials.get()` is called with, as JSON; begins the challenge."""
    options = webauthn.generate_authentication_options(
        rp_id=_rp_id(request),
        challenge=_begin(request, Purpose.PROVE),
        allow_credentials=_descriptors(passkeys),
        user_verification=UserVerificationRequirement.DISCOURAGED,
    )
    return webauthn.options_to_json(options)


def make(request: HttpRequest, user: User, answer: str, *, name: str) -> Passkey:
    """Keep a new passkey. Raises WrongPasskey, TooManyPasskeys, TooManyAttempts."""
    second_factor.count_attempt(user)
    challenge = _end(request, Purpose.MAKE)
    made = _made(request, _read(answer), challenge)
    second_factor.forgive_attempts(user)
    return _keep(
        Passkey(
            user=user,
            name=name,
            credential_id=bytes_to_base64url(made.credential_id),
            rp_id=_rp_id(request),
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
        )
    )


def _made(request: HttpRequest, given: dict[str, object], challenge: bytes) -> VerifiedRegistration:
    """What the browser made for this challenge, here. Raises WrongPasskey."""
    try:
        return webauthn.verify_registration_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(request),
            expected_origin=_origin(request),
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise _refusal(error) from error


@identity()
def _keep(passkey: Passkey) -> Passkey:
    with transaction.atomic():
        User.objects.select_for_update().only("pk").get(pk=passkey.user_id)
        if Passkey.objects.filter(user=passkey.user_id).count() >= MOST:
            raise TooManyPasskeys
        try:
            with transaction.atomic():
                passkey.save(force_insert=True)
        except IntegrityError:  # it is known already, perhaps as somebody else's
            raise WrongPasskey from None
    return passkey


def check(request: HttpRequest, user: User, answer: str) -> Passkey:
    """The passkey that signed this session's challenge. Raises WrongPasskey, CopiedPasskey, TooManyAttempts."""
    second_factor.count_attempt(user)
    challenge, given = _end(request, Purpose.PROVE), _read(answer)
    passkey = _used(request, user, given, challenge)
    second_factor.forgive_attempts(user)
    return passkey


@identity()
def _used(request: HttpRequest, user: User, given: dict[str, object], challenge: bytes) -> Passkey:
    """Under the row's lock, so that of two answers with one count the second is late."""
    with transaction.atomic():
        mine = Passkey.objects.select_for_update().filter(user=user, rp_id=_rp_id(request), confirmed=True)
        passkey: Passkey | None = mine.filter(credential_id=str(given.get("id", ""))).first()
        if passkey is None:
            raise WrongPasskey
        count = _signed(request, passkey, given, challenge)
        if (count or passkey.sign_count) and count <= passkey.sign_count:
            logger.warning("A passkey of %s counts %d after %d", user.pk, count, passkey.sign_count)
            raise CopiedPasskey
        passkey.sign_count, passkey.last_used_at = count, timezone.now()
        passkey.save(update_fields=["sign_count", "last_used_at"])
    return passkey


def _signed(request: HttpRequest, passkey: Passkey, given: dict[str, object], challenge: bytes) -> int:
    """The count that comes with a signature of this passkey. Raises WrongPasskey."""
    try:
        proved = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=passkey.rp_id,
            expected_origin=_origin(request),
            credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=0,  # the count is looked at once the signature is known to be its own
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise _refusal(error) from error
    return proved.new_sign_count


@identity()
def remove(user: User, passkey_id: int) -> Passkey | None:
    """Forget a passkey of the person; with their last second factor the recovery codes go as well."""
    with transaction.atomic():
        passkey: Passkey | None = Passkey.objects.filter(user=user, pk=passkey_id).first()
        if passkey is None:
            return None
        Passkey.objects.filter(pk=passkey.pk).delete()
        if not second_factor.has_one(user):
            second_factor.remove(user)
    return passkey


def _rp_id(request: HttpRequest) -> str:
    root = settings.ROOT_HOST
    return root if "." in root else request.get_host().split(":")[0].lower()


def _origin(request: HttpRequest) -> str:
    """Of the host that this request came to, which is one of ours; `X-Forwarded-Proto` does not matter."""
    return f"{urlsplit(settings.ROOT_URL).scheme}://{request.get_host().lower()}"


def _descriptors(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.credential_id)) for each in passkeys]


def _begin(request: HttpRequest, purpose: Purpose) -> bytes:
    challenge = webauthn.helpers.generate_challenge()
    noted = {
        "c": bytes_to_base64url(challenge),
        "for": purpose.value,
        "until": time.time() + CHALLENGE_SECONDS,
    }
    request.session[_CHALLENGE] = noted
    return challenge


def _end(request: HttpRequest, purpose: Purpose) -> bytes:
    """The session's challenge, which is used up by this. Raises WrongPasskey."""
    noted = request.session.pop(_CHALLENGE, None)
    if not noted or noted["for"] != purpose or noted["until"] < time.time():
        raise WrongPasskey
    if not cache.add(f"passkey:{noted['c']}", 1, CHALLENGE_SECONDS * 2):  # of two at once one is first
        raise WrongPasskey
    return base64url_to_bytes(noted["c"])


def _read(answer: str) -> dict[str, object]:
    try:
        given = json.loads(answer[:_ANSWER_LENGTH])
    except (ValueError, RecursionError):
        raise WrongPasskey from None
    if not isinstance(given, dict):
        raise WrongPasskey
    return given


def _refusal(error: Exception) -> WrongPasskey:
    logger.info("A passkey was refused: %s", error)
    return WrongPasskey()
