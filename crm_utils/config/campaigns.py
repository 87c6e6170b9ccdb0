"""Models of `params/campaigns.yaml`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from crm_utils.config.evidence import Evidence
from crm_utils.config.safe_query import check_query
from crm_utils.config.yaml_models import Model
from crm_utils.core.errors import ParamsError

ASSUMED = "assumed"


class Rest(Model):
    """A campaign after whose contact a customer rests from another one."""

    campaign: str
    days: int = Field(ge=1, strict=True)


class Campaign(Model):
    """A campaign, its costs, and the effect of one message."""

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
    offer: str | None = Field(
        None, min_length=1, description="the offer in words, for the lists; by default its incentive"
    )
    offer_days: int | None = Field(
        None, ge=1, le=730, strict=True, description="days for which the offer is valid; by default window_days"
    )
    redemption_rate: float = Field(0, ge=0, le=1, description="share of buyers who redeem the incentive")
    fixed_cost: float = Field(0, ge=0, description="one-time cost, independent of the number of contacts")
    delivery_rate: float = Field(1, gt=0, le=1, description="share of contacts that are delivered")
    messages: Annotated[list[Annotated[int, Field(ge=1, le=91, strict=True)]], Field(min_length=1)] = Field(
        [1], description="numbers of messages to a customer in a wave that the plan may choose from"
    )
    lift: float = Field(ge=0, le=1, description="increase of the purchase probability by one message")
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
    not_within: list[Rest] = Field([], description="after these campaigns a customer rests from this one")
    evidence: str = Field(ASSUMED, description="what the lift rests on: assumed, or an experiment of the evidence file")
    costs_from: str = Field(ASSUMED, min_length=1, description="where costs and rates come from")

    @model_validator(mode="after")
    def _require_audience(self) -> "Campaign":
        if self.where is None and not self.segments:
            raise ValueError(f"campaign {self.name}: set segments, where or both")
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
        if sorted(set(self.messages)) != self.messages:
            raise ValueError(f"campaign {self.name}: messages {self.messages} must be different numbers, ascending")
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

    @model_validator(mode="after")
    def _rest_from_known(self) -> "Campaigns":
        names = [campaign.name for campaign in self.campaigns]
        for campaign in self.campaigns:
            unknown = sorted({rest.campaign for rest in campaign.not_within} - set(names))
            if unknown:
                raise ValueError(
                    f"campaign {campaign.name}: not_within names {', '.join(unknown)}; there are {', '.join(names)}"
                )
        return self


def check_evidence(campaigns: Campaigns, evidence: Evidence, file: str = "campaigns.yaml") -> None:
    """Raise `ParamsError` if a campaign names an experiment that does not exist, or a lift that it does not show."""
    for campaign in campaigns.campaigns:
        if campaign.evidence == ASSUMED:
            continue
        label = f"{file}: campaign {campaign.name}"
        experiment = evidence.experiments.get(campaign.evidence)
        if experiment is None:
            named = ", ".join(evidence.experiments) or "none"
            raise ParamsError(
                f"{label}: evidence {campaign.evidence!r} is no experiment of the evidence file "
                f"(there: {named}); write {ASSUMED}, or add the experiment with its counts and source"
            )
        low, high = experiment.interval
        if not low <= campaign.lift <= high:
            raise ParamsError(
                f"{label}: {campaign.evidence} shows a lift between {low:.4f} and {high:.4f}, the "
                f"campaign says {campaign.lift}: correct the lift, or write evidence: {ASSUMED}"
            )
