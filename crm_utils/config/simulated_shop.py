"""The simulated shop: every behaviour planted in it, so that a report can be compared with the truth."""

from datetime import date, timedelta

from pydantic import Field, model_validator

from crm_utils.config.yaml_models import Model


class SimulatedShop(Model):
    """What `source: {simulate: {...}}` may say.

    Rates are per order or line; the defaults make a shop of middling size.
    """

    seed: int = Field(1, ge=0, strict=True)
    customers: int = Field(3000, ge=1, le=50_000_000, strict=True)
    start: date = date(2022, 1, 1)  # the first customers come on this day: the history is complete
    end: date = date(2024, 9, 30)
    products: int = Field(400, ge=2, le=100_000, strict=True)
    rate_shape: float = Field(0.9, gt=0)  # r: how alike customers are in how often they buy
    rate_scale: float = Field(65.0, gt=0)  # alpha, days
    dropout_a: float = Field(0.8, gt=0)  # a, b: the chance to leave after a repeat order is Beta(a, b)
    dropout_b: float = Field(3.0, gt=0)
    season: bool = True  # busy November and December, quiet weekends
    app_factor: float = Field(1.5, gt=0)  # customers who use the app buy so many times as often
    bargain_share: float = Field(0.25, ge=0, le=1)  # of customers, who mostly buy on offer
    guest_share: float = Field(0.03, ge=0, lt=1)  # of customers, whose orders carry no customer id
    lines_per_order: float = Field(3.5, ge=1)
    cancelled: float = Field(0.02, ge=0, le=1)  # of orders, as a whole, within three days
    returned: float = Field(
        0.03, ge=0, le=1
    )  # of lines, in part or whole, after 3 to 30 days; clothing three times as often
    mispriced: float = Field(0.05, ge=0, le=1)  # of lines sent back, refunded at a price they were not sold at
    campaign_on: date | None = date(2024, 2, 5)
    lift: float = Field(
        0.06, ge=0, le=1
    )  # of all to be contacted: how much the share who order within the window rises (orders as placed)
    campaign_window: int = Field(30, ge=1, strict=True)  # days
    holdout_share: float = Field(0.5, gt=0, lt=1)

    @model_validator(mode="after")
    def _check_dates(self) -> "SimulatedShop":
        if self.end <= self.start:
            raise ValueError("end must come after start")
        window = timedelta(days=self.campaign_window)
        if self.campaign_on and not self.start < self.campaign_on <= self.end - window:
            raise ValueError("campaign_on and its window must lie between start and end; null leaves the campaign out")
        return self
