"""The simulated shop: all behaviour is known, so that a report can be compared with the truth."""

from datetime import date, timedelta

from pydantic import Field, model_validator

from crm_utils.config.yaml_models import Model


class SimulatedShop(Model):
    """The parameters of `source: {simulate: {...}}`.

    Rates are per order or line item. The defaults describe a shop of medium size.
    """

    seed: int = Field(1, ge=0, strict=True)
    customers: int = Field(3000, ge=1, le=50_000_000, strict=True)
    start: date = date(2022, 1, 1)  # the first customers arrive on this day, so the history is complete
    end: date = date(2024, 9, 30)
    products: int = Field(400, ge=2, le=100_000, strict=True)
    rate_shape: float = Field(0.9, gt=0)  # r: the higher, the more similar the purchase rates of customers
    rate_scale: float = Field(65.0, gt=0)  # alpha, days
    dropout_a: float = Field(0.8, gt=0)  # a, b: the probability to leave after a repeat order is Beta(a, b) distributed
    dropout_b: float = Field(3.0, gt=0)
    season: bool = True  # busy November and December, quiet weekends
    app_factor: float = Field(1.5, gt=0)  # customers who use the app buy this many times as often
    bargain_share: float = Field(0.25, ge=0, le=1)  # share of customers who mostly buy discounted products
    guest_share: float = Field(0.03, ge=0, lt=1)  # share of customers whose orders have no customer id
    lines_per_order: float = Field(3.5, ge=1)
    cancelled: float = Field(0.02, ge=0, le=1)  # share of orders that are cancelled as a whole, within three days
    # share of line items returned in part or as a whole, after 3 to 30 days; clothing three times as often
    returned: float = Field(0.03, ge=0, le=1)
    mispriced: float = Field(0.05, ge=0, le=1)  # share of returned lines refunded at another price
    campaign_on: date | None = date(2024, 2, 5)
    # increase of the share of contacted customers who order within the window, before cancellations
    lift: float = Field(0.06, ge=0, le=1)
    campaign_window: int = Field(30, ge=1, strict=True)  # days
    holdout_share: float = Field(0.5, gt=0, lt=1)

    @model_validator(mode="after")
    def _check_dates(self) -> "SimulatedShop":
        if self.end <= self.start:
            raise ValueError("end must come after start")
        window = timedelta(days=self.campaign_window)
        if self.campaign_on and not self.start < self.campaign_on <= self.end - window:
            raise ValueError(
                "campaign_on and its window must be between start and end; campaign_on: null means no campaign"
            )
        return self


class SimulatedResponse(Model):
    """How the customers of a simulated shop respond to a plan, and what it costs to win new ones."""

    seed: int = Field(1, ge=0, strict=True)
    # by campaign: increase of the share of customers who order within the window, by a first message
    lifts: dict[str, float]
    fatigue: float = Field(
        0.8, ge=0, le=1
    )  # share of its lift that a contact keeps for each recent wave with a contact
    repeat_response: float = Field(0.8, ge=0, le=1)  # share of its lift that each further message of a wave keeps
    # the lower, the more customers differ in how they respond to the same message; they respond as stated on average
    responsiveness_shape: float = Field(4.0, gt=0)
    order_value: float = Field(40.0, gt=0)  # mean
    # cost of one more customer today; twice as much if as many are won as come by themselves. None: nobody can be won
    acquisition_cost: float | None = Field(None, gt=0)
    acquisition_noise: float = Field(0.1, ge=0)  # standard deviation of the logarithm of customers won by a spend
    most_won: float = Field(0.5, gt=0)  # most customers who can be won in a wave, as a share of the shop's
