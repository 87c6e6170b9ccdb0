"""Model of `budget.acquisition`: what it costs to win new customers."""

from pydantic import Field, model_validator

from crm_utils.config.yaml_models import Model


class ResponsePoint(Model):
    """A point of the response curve: so much money in a year wins so many customers."""

    spend: float = Field(gt=0, allow_inf_nan=False)
    customers: float = Field(gt=0, allow_inf_nan=False)


class AcquisitionChannel(Model):
    """A channel that wins new customers."""

    name: str
    cost_per_customer: float = Field(gt=0, allow_inf_nan=False)
    customers: float = Field(gt=0, allow_inf_nan=False, description="most customers a year")


class Acquisition(Model):
    """The cost of new customers. Give one of the three."""

    cost_per_customer: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="cost of one more customer today"
    )
    response: list[ResponsePoint] = Field([], description="points of the response curve, a year, smallest first")
    channels: list[AcquisitionChannel] = []
    cost_from: str = Field("assumed", min_length=1, description="where the cost comes from")
    spent: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="spent on new customers in the last 12 months"
    )

    @model_validator(mode="after")
    def _check_one(self) -> "Acquisition":
        given = [self.cost_per_customer is not None, bool(self.response), bool(self.channels)]
        if sum(given) != 1:
            raise ValueError("acquisition: set exactly one of cost_per_customer, response, channels")
        points = [(0.0, 0.0), *((point.customers, point.spend) for point in self.response)]
        costs = []
        for (customers, spend), (more, dearer) in zip(points, points[1:], strict=False):
            if more <= customers or dearer <= spend:
                raise ValueError(
                    "acquisition.response: each point needs more spend and more customers than the one before"
                )
            costs.append((dearer - spend) / (more - customers))
        if costs != sorted(costs):
            raise ValueError(
                "acquisition.response: each further customer must cost at least as much as those before; leave out the "
                "points below a straight line"
            )
        return self
