"""`/two-factor/`, on every host where somebody can be logged in."""

from __future__ import annotations

from django.urls import path

from tenants.views import two_factor

app_name = "two_factor"
urlpatterns = [
    path("", two_factor.overview, name="overview"),
    path("set-up/", two_factor.set_up, name="set_up"),
    path("recovery-codes/", two_factor.renew_codes, name="renew_codes"),
    path("passkeys/new/", two_factor.new_passkey, name="new_passkey"),
    path("passkeys/<int:passkey_id>/remove/", two_factor.remove_passkey, name="remove_passkey"),
    path("turn-off/", two_factor.turn_off, name="turn_off"),
]
