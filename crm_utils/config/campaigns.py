"""Models of `params/campaigns.yaml`."""

from typing import Literal

from pydantic import Field, model_validator

from crm_utils.config.safe_query import check_query
from crm_utils.config.yaml_models import Model


class Campaign(Model):
    """A campaign, its costs, and its assumed or measured effect."""

    name: str
    group: Literal["high-spending new customers", "high-spending previously loyal customers", "other customers"]
    action: str
    where: str | None = Field(None, description="a pandas query on the columns of the customers")
    segments: list[str] = []
    contact_cost: float = Field(ge=0, description="cost per attempted contact")
    incentive: float = Field(0, ge=0, description="discount on one order in money, for a customer who redeems it")
    incentive_share: float = Field(
        0, ge=0, le=1, description="discount on one order as a share, for a customer who redeems it"
    )
    redemption_rate: float = Field(0, ge=0, le=1, description="share of buyers who redeem the incentive")
    fixed_cost: float = Field(0, ge=0, description="one-time cost, independent of the number of contacts")
    delivery_rate: float = Field(1, gt=0, le=1, description="share of contacts that are delivered")
    lift: float = Field(ge=0, le=1, description="increase of the purchase probability within the window")
    lift_low: float = Field(
        default_factory=lambda data: data.get("lift", 0) / 2,
        ge=0,
        le=1,
        description="the lift is lower with a probability of 5%",
    )
    lift_high: float = Field(
        default_factory=lambda data: min(data.get("lift", 0) * 1.5, 1),
        ge=0,
        le=1,
        description="the lift is higher with a probability of 5%",
    )
    pull_forward_share: float = Field(
        0, ge=0, lt=1, description="share of the additional sales that would have happened later anyway"
    )
    follow_on_margin: float = Field(
        0,
        ge=0,
        description="margin that a won customer brings after the window, per unit of additional margin within it",
    )
    window_days: int = Field(ge=1, le=730)
    channel: str | None = Field(None, description="channel of the campaign, as in `contacts`; null means any channel")
    capacity: int | None = Field(None, ge=0, description="maximum number of contacts")
    min_spend: float = Field(0, ge=0, allow_inf_nan=False, description="minimum spend")
    max_spend: float | None = Field(None, ge=0, description="maximum spend")
    evidence: Literal["measured", "assumed"] = "assumed"

    @model_validator(mode="after")
    def _require_audience(self) -> "Campaign":
        if (self.where is None) == (not self.segments):
            raise ValueError(f"campaign {self.name}: set exactly one of where, segments")
        if self.where is not None:
            check_query(self.where, f"campaign {self.name}")
        if (self.incentive or self.incentive_share) and "redemption_rate" not in self.model_fields_set:
            raise ValueError(
                f"campaign {self.name}: the cost of an incentive depends on redemption_rate; set it, from 0 to 1"
            )
        if not self.lift_low <= self.lift <= self.lift_high:
            raise ValueError(
                f"campaign {self.name}: lift {self.lift} must be between lift_low {self.lift_low} and lift_high "
                f"{self.lift_high}"
            )
        if self.max_spend is not None and self.max_spend < self.min_spend:
            raise ValueError(f"campaign {self.name}: max_spend {self.max_spend} is below min_spend {self.min_spend}")
        return self


class Campaigns(Model):
    """The campaigns of a file, for example `params/campaigns.yaml`."""

    campaigns: list[Campaign] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_name_once(self) -> "Campaigns":
        names = [campaign.name for campaign in self.campaigns]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"two campaigns are called {', '.join(repeated)}; give each campaign its own name")
        return self
