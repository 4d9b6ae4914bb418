"""The models that there are, as `models.yaml` in the data folder says, and what each is asked for.

    models:
      house:
        url: http://127.0.0.1:8000/v1
        model: qwen2.5-14b-instruct
        runs: house
        place: eu
        answers: schema
      hosted:
        service: azure
        url: https://ours.openai.azure.com
        model: gpt-4.1
        api_version: "2025-04-01-preview"
        key: HOSTED_KEY
        runs: provider
        vendor: microsoft
        place: eu
        prices: {input: "2.00", output: "8.00"}
    tasks:
      plan: {models: [house, hosted], within: 8}
      draft: {models: [house]}
    budgets:
      - {per: person, tokens: 300000}
      - {per: role, role: planner, cost: "20"}
      - {per: company, cost: "100"}

A key is never in the file: `key` names the variable of the environment that holds it.
"""

from __future__ import annotations

from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from copilot.errors import SettingsError

Task = Literal["plan", "draft"]
TASKS: tuple[Task, ...] = get_args(Task)
_MILLION = 1_000_000
_Price = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=6)]
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Prices(_Strict):
    """What a million tokens cost, in the one currency of the file."""

    input: _Price
    output: _Price

    def micros(self, tokens_in: int, tokens_out: int) -> int:
        """What so many tokens cost, in millionths of the currency, rounded up."""
        return ceil(self.input * tokens_in + self.output * tokens_out)


class Served(_Strict):
    """One model, where it is served, and what may be sent there."""

    url: str = Field(pattern=r"^https?://[^\s?#@]+$")
    model: str = Field(min_length=1)
    service: Literal["openai", "azure"] = "openai"
    """`openai` is every service that speaks as OpenAI's does: vLLM, Ollama and llama.cpp too."""
    api_version: str = ""
    key: str = Field(default="", pattern=r"^([A-Za-z_]\w*)?$")
    runs: Literal["house", "provider"]
    """In the house or at a provider outside: the policy says what each may see."""
    vendor: str = Field(default="in-house", pattern=r"^[a-z][a-z0-9-]{0,79}$")
    place: str = ""
    """The region that it runs in, as the policy calls it."""
    answers: Literal["tools", "schema", "text"] = "tools"
    """How it gives an object: by calling a tool, by a JSON schema, or by text that is asked to be JSON."""
    streams: bool = False
    seconds: float = Field(default=8, gt=0, le=120)
    retries: int = Field(default=1, ge=0, le=5)
    prices: Prices | None = None

    @model_validator(mode="after")
    def _told_whole(self) -> Served:
        if self.service == "azure" and not self.api_version:
            raise ValueError("a model of Azure needs its api_version, such as 2025-04-01-preview")
        if self.runs == "provider" and self.vendor == "in-house":
            raise ValueError("a model that a provider runs needs its vendor's name")
        return self

    @property
    def audience(self) -> Literal["models", "providers"]:
        """How the policy calls those that read what is sent here."""
        return "models" if self.runs == "house" else "providers"


class Tasked(_Strict):
    """The models for a task, the first that can be asked is; and the seconds after which the rules answer."""

    models: tuple[str, ...] = Field(min_length=1)
    within: float = Field(default=10, gt=0, le=300)


class Budget(_Strict):
    """How much of all models may be used in a day (UTC) by each person, by a role together, or by all."""

    per: Literal["person", "role", "company"]
    role: str = ""
    tokens: int | None = Field(default=None, gt=0)
    cost: _Price | None = None

    @model_validator(mode="after")
    def _told_whole(self) -> Budget:
        if (self.per == "role") != bool(self.role):
            raise ValueError("a budget per role names the role, and no other does")
        if self.tokens is None and self.cost is None:
            raise ValueError("a budget says how many tokens, or at what cost")
        return self

    @property
    def micros(self) -> int | None:
        """The cost in millionths of the currency."""
        return None if self.cost is None else int(self.cost * _MILLION)


class Configured(_Strict):
    """All of it; without any model the rules answer alone."""

    models: dict[_Name, Served] = {}
    tasks: dict[Task, Tasked] = {}
    budgets: tuple[Budget, ...] = ()
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")

    @model_validator(mode="after")
    def _fits_together(self) -> Configured:
        for task, tasked in self.tasks.items():
            if unknown := [name for name in tasked.models if name not in self.models]:
                raise ValueError(
                    f"the task {task!r} names the model {unknown[0]!r}, which is not one of {[*self.models]}"
                )
        if len({(budget.per, budget.role) for budget in self.budgets}) < len(self.budgets):
            raise ValueError("there are two budgets for the same; give one with tokens and cost")
        unpriced = [name for name, served in self.models.items() if served.prices is None and served.runs == "provider"]
        if unpriced and any(budget.cost is not None for budget in self.budgets):
            raise ValueError(f"there is a budget by cost, and the model {unpriced[0]!r} of a provider has no prices")
        return self


def read_models(file: Path) -> Configured:
    """What the file says; no model where there is no file. Raises SettingsError naming the file and what is wrong."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Configured()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{str(file)!r} can't be read: {error}") from error
    try:
        told: Any = yaml.safe_load(text)
        return Configured.model_validate(told or {})
    except yaml.YAMLError as error:
        raise SettingsError(f"{str(file)!r} is no YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise SettingsError(f"{str(file)!r}: {place}: {first['msg']} (given: {first['input']!r:.80})") from None
