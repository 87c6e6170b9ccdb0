"""Models of `params/evidence.yaml`: published randomized experiments that campaigns may name as evidence."""

from math import sqrt

from pydantic import Field, model_validator

from crm_utils.config.yaml_models import Model

# Half the width of a 95% interval, in standard errors
Z_95 = 1.96


class Arm(Model):
    """A random group of an experiment."""

    customers: int = Field(gt=0, strict=True)
    buyers: int = Field(ge=0, strict=True)

    @model_validator(mode="after")
    def _check_buyers(self) -> "Arm":
        if self.buyers > self.customers:
            raise ValueError(f"{self.buyers} buyers are more than {self.customers} customers")
        return self

    @property
    def share(self) -> float:
        """Share of the customers who bought."""
        return self.buyers / self.customers


class Experiment(Model):
    """A randomized experiment, with its counts and where it was published."""

    source: str = Field(min_length=1, description="author, title and year")
    what: str = Field(min_length=1, description="who received what, and what was counted")
    treated: Arm
    control: Arm

    @property
    def lift(self) -> float:
        """Added share of customers who bought."""
        return self.treated.share - self.control.share

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the lift: two independent shares."""
        error = sqrt(sum(arm.share * (1 - arm.share) / arm.customers for arm in (self.treated, self.control)))
        return self.lift - Z_95 * error, self.lift + Z_95 * error

    @property
    def description(self) -> str:
        """What was done, with the counts and the source."""
        return (
            f"{self.what}: {self.treated.buyers:,} of {self.treated.customers:,} bought, without it "
            f"{self.control.buyers:,} of {self.control.customers:,}. {self.source}"
        )


class Evidence(Model):
    """The experiments of a file, by name."""

    experiments: dict[str, Experiment]
