"""The models behind `params/<report>.yaml`: one section a notebook, and what all notebooks share."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from crm_utils.params.base import Model


class Cleaning(Model):
    """Which line items count (01_cleaning)."""

    duplicates: Literal["keep", "drop"] = "keep"
    exclude_products: list[str] = []
    exclude_customers: list[str] = []


class Rfm(Model):
    """How customers are scored (02_rfm)."""

    bins: int = Field(5, ge=2, le=10, strict=True)


class Segmentation(Model):
    """Which names the cells get (03_segmentation)."""

    segment_map: str = "dma11"


class Cltv(Model):
    """What customers will be worth (04_cltv)."""

    margin_rate: float = Field(0.3, gt=0, le=1)
    discount_rate: float = Field(0.1, ge=0, le=1)
    horizon_months: int = Field(12, ge=1, le=60, strict=True)
    holdout_days: int = Field(91, ge=7, le=730, strict=True)


class Scenario(Model):
    """A change of what the plan assumes: -0.3 is 30 % less."""

    name: str = Field(min_length=1)
    budget: float = Field(0, ge=-1, allow_inf_nan=False)
    margin: float = Field(0, ge=-1, allow_inf_nan=False)
    lift: float = Field(0, ge=-1, allow_inf_nan=False)


class Budget(Model):
    """What to do next, and for how much (05_budget)."""

    budget: float = Field(50_000, ge=0, allow_inf_nan=False)
    target_return: float | None = Field(None, ge=0, allow_inf_nan=False)
    campaigns: str = "campaigns"
    control_share: float = Field(0.1, ge=0, le=0.5)
    seed: int = Field(1, strict=True)
    days_between_contacts: int = Field(14, ge=0, strict=True)
    calibration_days: int = Field(91, ge=7, le=365, strict=True)
    scenarios: list[Scenario] = [
        Scenario(name="half the budget", budget=-0.5),
        Scenario(name="lifts 30 % lower", lift=-0.3),
        Scenario(name="lifts 30 % higher", lift=0.3),
        Scenario(name="margin 20 % lower", margin=-0.2),
    ]


class Source(Model):
    """Where the line items are: a packaged sample, or a csv or parquet file (path relative to the project)."""

    sample: Literal["cdnow"] | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "Source":
        if (self.sample is None) == (self.file is None):
            raise ValueError("name exactly one of sample, file")
        return self


class Columns(Model):
    """The source's own column names for our standard names; `amount` may stand for quantity × unit_price."""

    customer_id: str
    ordered_at: str
    order_id: str | None = None
    product_id: str | None = None
    description: str | None = None
    quantity: str | None = None
    unit_price: str | None = None
    amount: str | None = None
    country: str | None = None

    @model_validator(mode="after")
    def _has_money(self) -> "Columns":
        if self.amount is None and (self.quantity is None or self.unit_price is None):
            raise ValueError("name amount, or both quantity and unit_price")
        return self


def _ascending(dates: list[date]) -> list[date]:
    if list(dates) != sorted(set(dates)):
        raise ValueError("list each date once, oldest first")
    return dates


class Shared(Model):
    """What every notebook of a report knows."""

    title: str = Field(min_length=1)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    source: Source
    columns: Columns
    history_complete: bool = False


class Report(Shared):
    """One `params/<report>.yaml`."""

    analysis_dates: Annotated[list[date], Field(min_length=1), AfterValidator(_ascending)]
    cleaning: Cleaning = Cleaning()
    rfm: Rfm = Rfm()
    segmentation: Segmentation = Segmentation()
    cltv: Cltv = Cltv()
    budget: Budget = Budget()
    custom: dict[str, Any] = {}


class Settings(Shared):
    """The shared settings of one report and date, as they lie in a run folder (`settings.json`)."""

    report: str
    analysis_date: date
    root: str = Field(description="the project's folder, relative to the run folder")


SECTIONS: dict[str, type[Model]] = {
    "cleaning": Cleaning,
    "rfm": Rfm,
    "segmentation": Segmentation,
    "cltv": Cltv,
    "budget": Budget,
}
