"""The secret by which a customer's server vouches for its users: shown once, exchanged without a gap."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from agents.models import Agent, new_identity_secret
from netvexa.lib.errors import Invalid

OVERLAP = timedelta(hours=48)  # in which the old secret holds beside the new one

SNIPPETS: dict[str, str] = {
    "Python": """# pip install PyJWT
import os, time, jwt

def chat_token(user):
    return jwt.encode(
        {"sub": str(user.id), "name": user.name, "email": user.email, "exp": int(time.time()) + 3600},
        os.environ["NETVEXA_IDENTITY_SECRET"],
        algorithm="HS256",
    )""",
    "Node.js": """// npm install jsonwebtoken
const jwt = require("jsonwebtoken");

const chatToken = (user) =>
  jwt.sign({ name: user.name, email: user.email }, process.env.NETVEXA_IDENTITY_SECRET, {
    algorithm: "HS256",
    subject: String(user.id),
    expiresIn: "1h",
  });""",
    "PHP": """// composer require firebase/php-jwt
use Firebase\\JWT\\JWT;

function chat_token($user) {
    $claims = ["sub" => (string) $user->id, "name" => $user->name, "email" => $user->email, "exp" => time() + 3600];
    return JWT::encode($claims, getenv("NETVEXA_IDENTITY_SECRET"), "HS256");
}""",
    "Ruby": """# gem install jwt
require "jwt"

def chat_token(user)
  claims = { sub: user.id.to_s, name: user.name, email: user.email, exp: Time.now.to_i + 3600 }
  JWT.encode(claims, ENV.fetch("NETVEXA_IDENTITY_SECRET"), "HS256")
end""",
}
ON_THE_PAGE = 'netvexa.identify({ token: "what your server made" });'


class TwoSecrets(Invalid):
    """Two secrets hold already."""

    default_detail = "The secret was exchanged already. End the old one before you make another."


def old_holds(agent: Agent) -> bool:
    """Whether an older secret still counts beside the present one."""
    return agent.retired_secret_until is not None and agent.retired_secret_until > timezone.now()


def show_once(agent: Agent) -> str:
    """The secret, the first time somebody asks for it; empty ever after."""
    now = timezone.now()
    first = Agent.objects.filter(pk=agent.pk, secret_shown_at=None).update(secret_shown_at=now)
    return agent.identity_secret if first else ""


def exchange(agent: Agent) -> str:
    """A new secret, to be shown now and never again; the old one holds for two more days.

    Raises TwoSecrets while an older one still holds: sending the form again must not end that one early.
    """
    if old_holds(agent):
        raise TwoSecrets
    agent.retired_secret, agent.retired_secret_until = agent.identity_secret, timezone.now() + OVERLAP
    agent.identity_secret, agent.secret_shown_at = new_identity_secret(), timezone.now()
    agent.save(update_fields=["identity_secret", "retired_secret", "retired_secret_until", "secret_shown_at"])
    return agent.identity_secret


def end_old(agent: Agent) -> None:
    """The old secret holds no longer, such as when it was seen by somebody."""
    agent.retired_secret, agent.retired_secret_until = "", None
    agent.save(update_fields=["retired_secret", "retired_secret_until"])
