"""Proving who one is with an e-mail address and a password, on every door alike: counted, and telling nothing."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.http import HttpRequest

from netvexa.lib.client import client_address
from netvexa.lib.errors import AppError
from tenants import attempts, devices
from tenants.context import identity
from tenants.models import User


class WrongLogIn(AppError):
    """Wrong password, unknown address, closed account: they look alike and take as long."""

    code = "wrong_log_in"
    status = 401
    default_detail = "The e-mail address and the password do not match."


def by_password(request: HttpRequest, *, email: str, password: str) -> User:
    """The person. Raises WrongLogIn, and TooManyAttempts whether the password is right or not."""
    email = email.strip().lower()
    account = devices.account_at(request, email)
    attempts.count(attempts.LOG_IN_BY_ADDRESS, client_address(request))
    attempts.count(attempts.LOG_IN_BY_ACCOUNT, account)
    with identity():
        user = authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        raise WrongLogIn
    attempts.forgive(attempts.LOG_IN_BY_ACCOUNT, account)
    return user
