"""Campaigns as data: `params/campaigns.yaml`."""

from typing import Literal

from pydantic import Field, model_validator

from crm_utils.config.safe_query import check_query
from crm_utils.config.yaml_models import Model


class Campaign(Model):
    """One thing we could do for customers, what it costs, and what it is assumed or measured to change."""

    name: str
    group: Literal["high-spending new customers", "high-spending previously loyal customers", "other customers"]
    action: str
    where: str | None = Field(None, description="a pandas query on the customers' columns")
    segments: list[str] = []
    contact_cost: float = Field(ge=0, description="money per attempted contact")
    incentive: float = Field(0, ge=0, description="money off one order, for a customer who redeems it")
    incentive_share: float = Field(0, ge=0, le=1, description="share off one order, for a customer who redeems it")
    redemption_rate: float = Field(0, ge=0, le=1, description="share of buyers who redeem the incentive")
    fixed_cost: float = Field(0, ge=0, description="money once, whatever the number of contacts")
    delivery_rate: float = Field(1, gt=0, le=1, description="share of contacts that arrive")
    lift: float = Field(ge=0, le=1, description="added purchase probability within the window")
    lift_low: float = Field(
        default_factory=lambda given: given.get("lift", 0) / 2, ge=0, le=1, description="5 in 100 believe it is lower"
    )
    lift_high: float = Field(
        default_factory=lambda given: min(given.get("lift", 0) * 1.5, 1), ge=0, le=1, description="5 in 100: higher"
    )
    pull_forward_share: float = Field(
        0, ge=0, lt=1, description="share of added sales that would have come later anyway"
    )
    follow_on_margin: float = Field(
        0, ge=0, description="what a customer who was won earns after the window, per added margin"
    )
    window_days: int = Field(ge=1, le=730)
    channel: str | None = Field(None, description="how it reaches customers, as `contacts` names it; none: any channel")
    capacity: int | None = Field(None, ge=0, description="contacts that can be made at most")
    min_spend: float = Field(0, ge=0, allow_inf_nan=False, description="money that must be spent on it")
    max_spend: float | None = Field(None, ge=0, description="money that may be spent on it at most")
    evidence: Literal["measured", "assumed"] = "assumed"

    @model_validator(mode="after")
    def _require_audience(self) -> "Campaign":
        if (self.where is None) == (not self.segments):
            raise ValueError(f"campaign {self.name}: name exactly one of where, segments")
        if self.where is not None:
            check_query(self.where, f"campaign {self.name}")
        if (self.incentive or self.incentive_share) and "redemption_rate" not in self.model_fields_set:
            raise ValueError(
                f"campaign {self.name}: an incentive costs what is redeemed: name redemption_rate, from 0 to 1"
            )
        if not self.lift_low <= self.lift <= self.lift_high:
            raise ValueError(
                f"campaign {self.name}: lift {self.lift} must lie between lift_low {self.lift_low} and lift_high "
                f"{self.lift_high}"
            )
        if self.max_spend is not None and self.max_spend < self.min_spend:
            raise ValueError(f"campaign {self.name}: max_spend {self.max_spend} is below min_spend {self.min_spend}")
        return self


class Campaigns(Model):
    """The campaigns of one file, for example `params/campaigns.yaml`."""

    campaigns: list[Campaign] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_name_once(self) -> "Campaigns":
        names = [campaign.name for campaign in self.campaigns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two campaigns are called {', '.join(twice)}: give each a name of its own")
        return self
