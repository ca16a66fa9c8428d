"""Configuration: every environment variable, its type, its default and what it takes.

A wrong value stops the start with the variable's name and what it takes (`load`). docs/configuration.md
is checked against this module by a test.
"""

from __future__ import annotations

import ipaddress
import secrets
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PROJECT = Path(__file__).resolve().parent.parent


class ConfigurationError(SystemExit):
    """The environment holds a value that cannot be used; the message names it."""


def _scheme(*allowed: str) -> AfterValidator:
    def check(value: str) -> str:
        if value and urlsplit(value).scheme not in allowed:
            raise ValueError(f"must start with {' or '.join(f'{scheme}://' for scheme in allowed)}")
        return value

    return AfterValidator(check)


def _comma_list(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _preset(value: str) -> str:
    if value not in ("current", "original") and not (value.endswith(".toml") and Path(value).is_file()):
        raise ValueError("must be current, original or the path of a .toml file")
    return value


def _cross_encoder(value: str) -> str:
    if value and not (Path(value) / "config.json").is_file():
        raise ValueError("must be the folder of a cross-encoder, with its config.json")
    return value


PostgresUrl = Annotated[str, _scheme("postgres", "postgresql")]
RedisUrl = Annotated[str, _scheme("redis", "rediss", "unix")]
HostList = Annotated[list[str], NoDecode, BeforeValidator(_comma_list)]
HttpUrl = Annotated[str, _scheme("http", "https")]


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise ValueError("must be networks such as 10.0.0.0/8,192.0.2.1, separated by commas") from None


NetworkList = Annotated[
    list[Annotated[str, AfterValidator(_network)]], NoDecode, BeforeValidator(_comma_list)
]


def _long(value: str) -> str:
    if len(value) < 32:
        raise ValueError("must be random texts of at least 32 characters, separated by commas")
    return value


MasterSecret = Annotated[str, AfterValidator(_long)]


class Config(BaseSettings):
    """What the environment says; names are the variables' names in lower case."""

    model_config = SettingsConfigDict(extra="ignore", str_strip_whitespace=True)

    netvexa_environment: Literal["development", "production", "test"] = "development"
    netvexa_debug: bool = False
    netvexa_secret_key: str = ""
    netvexa_master_keys: Annotated[list[MasterSecret], NoDecode, BeforeValidator(_comma_list)] = Field(
        default_factory=list
    )
    netvexa_master_key_kms: str = ""
    netvexa_var: Path = PROJECT / "var"
    netvexa_root_url: HttpUrl = "http://localhost:8000"
    netvexa_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    netvexa_fetch_private_hosts: HostList = Field(default_factory=list)
    netvexa_trusted_proxies: NetworkList = Field(default_factory=list)
    netvexa_api_calls_per_address: Annotated[int, Field(ge=1)] = 1200
    netvexa_renderer_url: HttpUrl = ""
    netvexa_max_upload_mb: Annotated[int, Field(ge=1, le=1000)] = 20

    database_url: PostgresUrl = ""
    database_pooling: Literal["session", "transaction"] = "session"
    redis_url: RedisUrl = ""
    celery_broker_url: str = ""

    email_url: Annotated[str, _scheme("smtp", "smtps", "console", "file")] = "file://"
    email_from: str = "NETVEXA <hello@localhost>"

    storage_s3_bucket: str = ""
    storage_s3_endpoint_url: HttpUrl = ""
    storage_s3_region: str = ""
    storage_s3_access_key: str = ""
    storage_s3_secret_key: str = ""

    openai_api_key: str = ""
    openai_base_url: HttpUrl = ""
    anthropic_api_key: str = ""
    anthropic_base_url: HttpUrl = ""
    google_api_key: str = ""
    google_base_url: HttpUrl = ""
    model_preset: Annotated[str, AfterValidator(_preset)] = "current"
    netvexa_chat_sockets_per_address: Annotated[int, Field(ge=1)] = 100
    netvexa_chat_messages_per_minute: Annotated[int, Field(ge=1)] = 20
    embedding_backend: Literal["onnx", "sentence-transformers"] = "onnx"
    embedding_threads: Annotated[int, Field(ge=1, le=64)] = 2
    rerank_model: Annotated[str, AfterValidator(_cross_encoder)] = ""
    netvexa_models: Path | None = None

    stripe_secret_key: str = ""
    stripe_api_host: HttpUrl = ""

    @property
    def root_host(self) -> str:
        """Host of the root URL without its port: `localhost`."""
        return urlsplit(self.netvexa_root_url).hostname or "localhost"

    @property
    def secret_key(self) -> str:
        """The given secret, or one made once and kept in the var folder (never in production)."""
        if self.netvexa_secret_key:
            return self.netvexa_secret_key
        if self.netvexa_environment == "production":
            raise ConfigurationError("NETVEXA_SECRET_KEY: must be set in production (any long random text).")
        return _kept_secret(self.netvexa_var / "secret_key")


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with path.open("x", encoding="ascii") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii")


def load() -> Config:
    """Read the environment, or stop with one sentence for each variable that is wrong."""
    try:
        config = Config()
    except ValidationError as error:
        raise ConfigurationError("\n".join(_sentence(problem) for problem in error.errors())) from None
    for name in ("database_url", "redis_url"):
        if not getattr(config, name):
            raise ConfigurationError(
                f"{name.upper()}: is not set. `make run` starts embedded servers and sets it by itself."
            )
    return config


def _sentence(problem: ErrorDetails) -> str:
    name = ".".join(str(part) for part in problem["loc"]).upper()
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name}: {message[:1].lower()}{message[1:]}; it is {problem['input']!r}."
