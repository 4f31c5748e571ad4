"""Access to a commercial API, or to a server with the same interface: its address, key, proxy and prices.

The key is read from the environment when a client is opened; it is in no setting, record, message or log.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pydantic import Field

from rsflow.config.validation import STRICT
from rsflow.errors import RsflowError
from rsflow.files.storage import MASK, mask_secrets
from rsflow.generation.contract import Cost

Price = Annotated[float, Field(ge=0)]


@dataclass(frozen=True)
class Prices:
    """Money for a million tokens, in a currency of one's choice."""

    __pydantic_config__ = STRICT
    per_million_in: Price = 0.0
    per_million_out: Price = 0.0
    per_million_cached: Price | None = None  # tokens in that the server had kept from earlier requests; None: as the others

    def cost_of(self, tokens_in: int, tokens_out: int, cached_in: int = 0) -> Cost:
        """`cached_in`: how many of the tokens in the server had kept."""
        cached_price = self.per_million_in if self.per_million_cached is None else self.per_million_cached
        read = (tokens_in - cached_in) * self.per_million_in + cached_in * cached_price
        money = (read + tokens_out * self.per_million_out) / 1e6
        return Cost(tokens_in, tokens_out, money)


@dataclass(frozen=True)
class ApiModel:
    """A model behind an interface of OpenAI's form: the settings that its engines share.

    `address` ends before `/chat/completions`. `key` is the NAME of the environment variable that holds the key.
    `revision`: what the maker calls the version, where the model's name does not say it. `structured`: how the server is held
    to the answer's form. `extra`: further keys of the request body, for what a server of one's own understands.
    """

    __pydantic_config__ = STRICT
    seconds_counted_as: ClassVar[str] = "wait_seconds"

    model: Annotated[str, Field(min_length=1)]
    # Not compared: the same model at another address gives the same answers.
    address: Annotated[str, Field(pattern=r"^https?://")] = field(default="https://api.openai.com/v1", compare=False)
    key: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = field(default="OPENAI_API_KEY", compare=False)
    revision: str = ""
    structured: Literal["schema", "object", "none"] = "schema"
    max_tokens_key: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    extra: dict[str, Any] = field(default_factory=dict)
    prices: Prices = field(default_factory=Prices, compare=False)

    @property
    def model_identity(self) -> str:
        return f"{self.model}@{self.revision}" if self.revision else self.model


@dataclass(frozen=True, slots=True, repr=False)
class ApiAccess:
    """`address` without a slash at its end; `proxy` is the environment's, None where there is none for it."""

    address: str
    key: str
    proxy: str | None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def mask(self, text: str) -> str:
        """The text without the key and other secrets."""
        text = mask_secrets(text)
        return text.replace(self.key, MASK) if self.key else text


def open_access(address: str, key_name: str | None) -> ApiAccess:
    """Access by the key in the environment variable `key_name`, where one is named. RsflowError where it holds none."""
    key = "" if key_name is None else os.environ.get(key_name, "").strip()
    if key_name and not key:
        raise RsflowError(
            f"generation.engine: the environment variable {key_name} holds no key for {mask_secrets(address)}: "
            "set it, or `key: null` for a server that wants none"
        )
    return ApiAccess(address.rstrip("/"), key, _find_proxy(address))


def _find_proxy(url: str) -> str | None:
    """The environment's proxy. aiohttp's `trust_env` would also read .netrc, which may hold another key."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
