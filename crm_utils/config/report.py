"""Models of `params/<report>.yaml`: one section per notebook, and the parameters that all notebooks share."""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Union
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)

from crm_utils.config.acquisition import Acquisition
from crm_utils.config.delivery import Delivery
from crm_utils.config.safe_query import check_query
from crm_utils.config.segment_map import check_bin_edges
from crm_utils.config.simulated_shop import SimulatedShop
from crm_utils.config.yaml_models import Model
from crm_utils.core.formatting import ORDERS, join_names, mask_secrets
from crm_utils.core.suggestions import did_you_mean

YEARS = (1900, 2100)
FILE_SETTINGS = (  # what each of several files may say for itself
    "sheets",
    "header_row",
    "skip_rows",
    "footer",
    "names",
    "hidden_rows",
    "fill_down",
    "encoding",
    "delimiter",
    "decimal",
    "thousands",
    "currency_sign",
    "date_format",
    "timezone",
)


class QuestionCode(StrEnum):
    """The questions that only the owner of the data can answer (see `crm_utils/cleaning/questions.py`)."""

    DUPLICATES = "duplicates"
    NEGATIVE_ROWS = "negative_rows"
    HUGE_ORDER = "huge_order"
    UNASSIGNED_MONEY = "unassigned_money"
    PRICE_BASIS = "price_basis"
    CENTS = "cents"
    STATUS = "status"
    REPEATED_AMOUNT = "repeated_amount"
    NO_CUSTOMER = "no_customer"
    GUESTS = "guests"
    SHARED_IDS = "shared_ids"
    EMAIL_IDS = "email_ids"
    ORDER_NUMBERS = "order_numbers"


def _known_code(value: Any) -> str:
    codes = [code.value for code in QuestionCode]
    if value not in codes:
        raise ValueError(f"{value!r} is not the code of a question; the codes are {', '.join(codes)}")
    return value


def _iso_day(value: Any) -> str:
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is not a date; write it as 1998-06-30") from None
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise ValueError(f"{day} is out of range; years go from {YEARS[0]} to {YEARS[1]}")
    return day.isoformat()


IsoDay = Annotated[str, BeforeValidator(_iso_day)]  # text, because papermill cannot inject dates


def _fold_email(name: str) -> str:
    return fold(name) if "@" in name else name


class Cleaning(Model):
    """Which line items count (01_cleaning)."""

    cancellations: Literal["drop", "net", "match"] = "drop"
    duplicates: Literal["keep", "drop"] = "keep"
    exclude_products: list[str] = []
    exclude_customers: list[str] = []
    exclude_where: str = Field(
        "",
        description="a query that is true for the customers to leave out, on what is known about them: `orders`, "
        "`revenue`, `mean_order_value`, `recency_days`, features and attributes",
    )
    merge_customers: dict[str, str] = {}
    cap_outliers: bool = False

    @field_validator("exclude_customers", "merge_customers", mode="after")
    @classmethod
    def _write_emails_in_lower_case(cls, ids: Any) -> Any:
        if isinstance(ids, dict):
            return {_fold_email(name): _fold_email(kept) for name, kept in ids.items()}
        return [_fold_email(name) for name in ids]

    @field_validator("exclude_where")
    @classmethod
    def _check_query(cls, query: str) -> str:
        if query:
            check_query(query, "exclude_where")
        return query.strip()

    @model_validator(mode="after")
    def _exclude_only_kept_ids(self) -> "Cleaning":
        dropped = [name for name in self.exclude_customers if name in self.merge_customers]
        if dropped:
            raise ValueError(
                f"exclude_customers: {dropped[0]} is merged into {self.merge_customers[dropped[0]]}, "
                f"so no row would be excluded; exclude {self.merge_customers[dropped[0]]}, or do not merge {dropped[0]}"
            )
        return self


class Rfm(Model):
    """How customers are scored (02_rfm)."""

    n_bins: int = Field(5, ge=2, le=10, strict=True)
    scoring: Literal["quantiles", "approximate", "article"] = "quantiles"
    window: Literal["all", "12 months to the analysis date", "12 months to each customer's last purchase"] = "all"
    recency_unit: Literal["days", "weeks", "months", "elapsed days"] = "days"
    frequency_measure: Literal["orders", "purchase days"] = "orders"
    monetary_measure: Literal["total", "average"] = "total"
    bin_edges: dict[Literal["recency", "frequency", "monetary"], list[float]] = {}
    bin_edges_from_date: IsoDay | None = None

    @model_validator(mode="after")
    def _check_bin_edges(self) -> "Rfm":
        for measure, edges in self.bin_edges.items():
            check_bin_edges(measure, edges, self.n_bins)
        if self.scoring == "article" and (self.bin_edges or self.bin_edges_from_date):
            raise ValueError(
                "scoring: article ranks customers and uses no bin edges; remove them, or choose another scoring"
            )
        return self


class Segmentation(Model):
    """How customers are assigned to segments (03_segmentation)."""

    segment_map: str = "dma11"
    compare_with: Literal["previous", "none"] | IsoDay = "previous"
    new_within_days: int | None = Field(90, ge=0, strict=True)
    cooling_after_days: int = Field(90, ge=1, strict=True)
    at_risk_after_days: int = Field(180, ge=1, strict=True)
    churned_after_days: int = Field(365, ge=1, strict=True)

    @model_validator(mode="after")
    def _check_risk_before_churn(self) -> "Segmentation":
        if self.at_risk_after_days >= self.churned_after_days:
            raise ValueError("at_risk_after_days must be smaller than churned_after_days")
        return self


MODELS = ("bg_nbd", "mbg_nbd", "pareto_nbd")
OWN_CLASS = r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"  # my_models:MyModel


def _known_model(value: Any) -> Any:
    if isinstance(value, str) and value not in MODELS and not re.fullmatch(OWN_CLASS, value):
        hint = did_you_mean(value, MODELS) or f"choose {join_names([*map(repr, MODELS)])}"
        raise ValueError(f"no model is called {value!r}; {hint}; a class of your own is module:Class")
    return value


ModelName = Annotated[
    str,
    BeforeValidator(_known_model),
    WithJsonSchema({"anyOf": [{"enum": [*MODELS]}, {"type": "string", "pattern": f"^{OWN_CLASS}$"}]}),
]


class Cltv(Model):
    """How customer lifetime value is forecast (04_cltv)."""

    margin_rate: float | None = Field(None, gt=0, le=1)
    discount_rate: float = Field(0.1, ge=0, le=1)
    horizon_months: int = Field(12, ge=1, le=60, strict=True)
    holdout_days: int = Field(91, ge=7, le=730, strict=True)
    model: ModelName | None = Field(
        None, description="bg_nbd, mbg_nbd, pareto_nbd, or a class of your own: `my_models:MyModel`"
    )
    include_article_method: bool = False


class Scenario(Model):
    """Changes of the plan's assumptions as shares: -0.3 means 30% less."""

    name: str = Field(min_length=1)
    budget: float = Field(0, ge=-1, allow_inf_nan=False)
    margin: float = Field(0, ge=-1, allow_inf_nan=False)
    cost: float = Field(0, ge=-1, allow_inf_nan=False)
    lift: float = Field(0, ge=-1, allow_inf_nan=False)
    preparation: float = Field(0, ge=-1, allow_inf_nan=False, description="fixed cost of each campaign and wave")
    acquisition_cost: float = Field(0, gt=-1, allow_inf_nan=False, description="cost of a new customer")


class MaxContacts(Model):
    """The most messages that a customer may get in any so many days."""

    number: int = Field(6, ge=1, strict=True)
    days: int = Field(91, ge=1, strict=True)


class Send(Model):
    """The tool that sends the messages."""

    format: Literal["generic", "klaviyo", "mailchimp", "hubspot", "braze"] = Field(
        "generic", description="the tool whose headings the lists have"
    )


class Budget(Model):
    """How the budget is allocated to campaigns (05_budget)."""

    total_budget: float = Field(50_000, ge=0, allow_inf_nan=False)
    target_roi: float | None = Field(None, ge=0, allow_inf_nan=False)
    campaigns_file: str = "campaigns"
    holdout_share: float = Field(0.1, ge=0, le=0.5)
    seed: int = Field(1, strict=True)
    days_between_contacts: int = Field(14, ge=0, strict=True)
    send: Send = Send()
    budget_days: int = Field(365, ge=7, le=1096, strict=True)
    wave_days: int = Field(91, ge=7, le=366, strict=True)
    fatigue: float = Field(0.8, ge=0, le=1, allow_inf_nan=False)
    carryover: float = Field(0.0, ge=0, le=1, allow_inf_nan=False)
    max_contacts: MaxContacts = MaxContacts()
    acquisition: Acquisition | None = None
    current_spend: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = {}
    evidence_file: str = "evidence"
    scenarios: list[Scenario] = [
        Scenario(name="half the budget", budget=-0.5),
        Scenario(name="lifts 30% lower", lift=-0.3),
        Scenario(name="lifts 30% higher", lift=0.3),
        Scenario(name="margin 20% lower", margin=-0.2),
        Scenario(name="a new customer costs 30% more", acquisition_cost=0.3),
        Scenario(name="preparation costs ten times as much", preparation=9),
    ]

    @model_validator(mode="after")
    def _fit_a_wave(self) -> "Budget":
        if self.budget_days < self.wave_days:
            raise ValueError(
                f"budget_days: {self.budget_days} days are shorter than a wave of {self.wave_days} days (wave_days); "
                "give a longer period or shorter waves"
            )
        if self.max_contacts.number * self.wave_days < self.max_contacts.days:
            raise ValueError(
                f"max_contacts: {self.max_contacts.number} in {self.max_contacts.days} days is less than one message "
                f"in a wave of {self.wave_days} days; allow more, or give longer waves"
            )
        return self


def fold(value: str) -> str:
    """The form in which values of a status are compared: without case and outer blanks."""
    return value.strip().lower()


class Status(Model):
    """Which values of a status column are sales. A value that no list names stops the run."""

    column: str = Field(description="the column that holds the status")
    count: Annotated[list[str], Field(min_length=1)] = Field(description="the values of rows that count")
    refund: list[str] = Field([], description="the values of sales that were taken back completely")
    ignore: list[str] = Field([], description="the values of rows that are no sales: failed, pending, drafts")

    @model_validator(mode="after")
    def _name_each_value_once(self) -> "Status":
        seen: dict[str, str] = {}
        for name in ("count", "refund", "ignore"):
            for value in map(fold, getattr(self, name)):
                if seen.setdefault(value, name) != name:
                    raise ValueError(f"{value!r} is in {seen[value]} and in {name}: keep it in one of them")
        return self


class Guests(Model):
    """Customer ids that stand for nobody, and what to do with their orders."""

    ids: Annotated[list[str], Field(min_length=1)] = Field(
        description='the customer ids of guests: ["0", walk-in]; "" for rows without a customer id'
    )
    treat: Literal["drop", "each_order"] = Field(
        description="drop: leave their orders out; each_order: each of their orders is a customer of its own"
    )


def _one_or_several(value: Any) -> str:
    return "joined" if isinstance(value, list) else "column"


# One column, or several whose values are joined
IdColumns = Annotated[
    Annotated[str, Tag("column")] | Annotated[list[str], Field(min_length=2), Tag("joined")],
    Discriminator(_one_or_several),
]


class Currency(Model):
    """What to do with amounts in several currencies: keep one, or convert all."""

    column: str = Field(description="the column that holds the currency of a row, such as EUR")
    keep: str | None = Field(None, min_length=1, description="the currency that counts; rows in others are left out")
    rates: str | None = Field(
        None, min_length=1, description="a csv with the columns currency and rate: what 1 unit is worth in the report's"
    )

    @model_validator(mode="after")
    def _keep_or_convert(self) -> "Currency":
        if (self.keep is None) == (self.rates is None):
            raise ValueError("set keep to the currency that counts, or rates to a file, and not both")
        return self


def _as_file(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


def _one_of_several(pattern: str) -> str:
    if "%" not in pattern or "%z" in pattern:
        raise ValueError(f"{pattern!r} cannot be one of several formats; write strptime patterns without %z")
    return pattern


DateFormat = Annotated[
    Annotated[str, Field(pattern="^excel$|%"), Tag("column")]
    | Annotated[list[Annotated[str, AfterValidator(_one_of_several)]], Field(min_length=1), Tag("joined")],
    Discriminator(_one_or_several),
]


# A text stands for a file without settings of its own
FileOrPattern = Annotated[
    "SourceFile",
    BeforeValidator(_as_file, json_schema_input_type=Union[str, "SourceFile"]),
]


class Source(Model):
    """Where the line items are: a packaged sample, files, a table of a database, or a simulated shop."""

    sample: Literal["cdnow"] | None = Field(None, description="a data set that comes with an installed package")
    file: str | None = Field(None, min_length=1, description="one file; its path is relative to the project")
    files: Annotated[list[FileOrPattern], Field(min_length=1)] | None = Field(
        None, description="several files in this order: names (* and ? match), or files with settings of their own"
    )
    simulate: SimulatedShop | None = Field(None, description="a simulated shop")
    database: str | None = Field(
        None, description="the address of a database; write a password as ${NAME_OF_AN_ENVIRONMENT_VARIABLE}"
    )
    table: str | None = Field(None, min_length=1, description="the table of the database")
    query: str | None = Field(
        None,
        min_length=1,
        description="a select statement: instead of a table, or over the files, which are the table files all together "
        "and tables by their names without ending",
    )
    sheets: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="the sheets of a workbook; required if it has several"
    )
    header_row: int | None = Field(
        None, ge=1, strict=True, description="the line with the column names, if a title stands above it"
    )
    skip_rows: int = Field(0, ge=0, strict=True, description="lines below the column names that hold no data")
    footer: int | None = Field(
        None, ge=0, strict=True, description="lines at the end that hold no data, such as a total; blank ones apart"
    )
    names: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="the column names of a file without a header, or in place of the names in header_row"
    )
    hidden_rows: Literal["keep", "drop"] | None = Field(
        None, description="whether the hidden rows of a sheet count; required if there are any"
    )
    fill_down: Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="columns whose blank cells repeat the value above: merged cells, headings of groups",
    )
    encoding: str | None = Field(None, description="the encoding of text files, if it is not UTF-8")
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="the delimiter of text files, if the header does not show it"
    )
    decimal: Literal[".", ","] | None = Field(None, description="the decimal separator of numbers in text")
    thousands: Literal[",", ".", " ", "'", "’", "\u00a0", "\u2009", "\u202f"] | None = Field(
        None, description="the thousands separator of numbers in text"
    )
    currency_sign: str | None = Field(None, min_length=1, description="a currency sign before or after numbers in text")
    date_format: DateFormat | None = Field(
        None,
        description="a strptime pattern, or a list of them if the column mixes formats; excel for the serial numbers "
        "of a spreadsheet",
    )
    timezone: str | None = Field(None, description="the time zone of your business, if dates have a UTC offset")
    filter: str | None = Field(
        None, min_length=1, description="a condition on the source's columns; rows that do not meet it are left out"
    )
    status: Status | None = Field(None, description="which values of a status column are sales")
    guests: Guests | None = Field(None, description="customer ids that stand for nobody, and what to do with them")
    ignore_in_emails: list[Literal["plus_tags", "gmail_dots"]] = Field(
        [],
        description="what makes no difference between e-mail addresses as customer ids: +tags before the @, dots in "
        "Gmail addresses",
    )
    currency: Currency | None = Field(None, description="which currency counts, if there are several")

    @model_validator(mode="after")
    def _exactly_one_source(self) -> "Source":
        kinds = ("sample", "file", "files", "database", "simulate")
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            raise ValueError(f"set exactly one of {', '.join(kinds)}")
        if self.database and (self.table is None) == (self.query is None):
            raise ValueError("a database needs exactly one of table, query")
        if self.query is not None and (self.sample or self.simulate):
            raise ValueError("query needs a database or files")
        return self

    @field_validator("delimiter")
    @classmethod
    def _is_a_mark(cls, delimiter: str | None) -> str | None:
        if delimiter and (delimiter.isalnum() or delimiter in '"\r\n\0'):
            raise ValueError(f"{delimiter!r} cannot separate fields; write a mark such as ';' or '|'")
        return delimiter

    @field_validator("currency_sign")
    @classmethod
    def _is_no_part_of_a_number(cls, sign: str | None) -> str | None:
        if sign and re.search(r"\d|^[.,+-]$", sign):
            raise ValueError(f"{sign!r} would be taken off numbers; write the sign alone, such as €")
        return sign

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, zone: str | None) -> str | None:
        try:
            ZoneInfo(zone or "UTC")
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ValueError(f"{zone!r} is not a time zone; write it as Europe/London or UTC") from None
        return zone

    @model_validator(mode="after")
    def _separate_decimals_and_thousands(self) -> "Source":
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; correct one of them")
        return self

    @field_validator("database")
    @classmethod
    def _reject_plain_password(cls, url: str | None) -> str | None:
        without_placeholders = re.sub(r"\$\{\w+\}", "", url or "")
        if mask_secrets(without_placeholders) != without_placeholders:
            raise ValueError("write the password as ${NAME}, and set NAME in the environment")
        return url


def _drop_other_settings(schema: dict[str, Any]) -> None:
    kept = ("file", "columns", *FILE_SETTINGS)
    schema["properties"] = {name: found for name, found in schema["properties"].items() if name in kept}


class SourceFile(Source):
    """One of several files. Its settings replace those of the source."""

    model_config = ConfigDict(json_schema_extra=_drop_other_settings)

    file: str = Field(min_length=1, description="one file, or a pattern")
    columns: dict[str, IdColumns] = Field(
        {}, description="other column names in this file: the name used elsewhere or ours, and the name here"
    )

    @model_validator(mode="after")
    def _names_settings_of_a_file(self) -> "SourceFile":
        if wrong := sorted(self.model_fields_set - {"file", "columns", *FILE_SETTINGS}):
            raise ValueError(f"{wrong[0]} is a setting of the whole source: write source.{wrong[0]}")
        return self

    @model_serializer
    def _as_written(self) -> str | dict[str, Any]:
        """Only what was said: in full it would name settings of the whole source."""
        said = {
            name: getattr(self, name) for name in ("file", *FILE_SETTINGS, "columns") if name in self.model_fields_set
        }
        return self.file if list(said) == ["file"] else said

    def within(self, source: Source) -> Source:
        """The source with this file's own settings in place of the common ones."""
        own = {name: getattr(self, name) for name in FILE_SETTINGS if name in self.model_fields_set}
        return source.model_copy(update=own)


Source.model_rebuild()


def _bool_or_list(value: Any) -> Any:
    if not isinstance(value, bool | list):
        raise ValueError(f"write true, or a list of columns, not {value!r}")
    return value


class AmountParts(Model):
    """What a row is worth, put together from columns of the source or from our standard names."""

    lines: str = Field(description="a column, or arithmetic on columns: quantity * unit_price")
    minus: list[str] = Field([], description="columns to take off: discounts, amounts refunded")
    plus: list[str] = Field([], description="columns to add: shipping, taxes")
    once_per_order: Annotated[bool | list[str], BeforeValidator(_bool_or_list)] = Field(
        False,
        description="the columns whose amount is of the whole order and counts once, though it stands on several rows; "
        "true: all of them",
    )

    @model_validator(mode="after")
    def _name_each_column_once(self) -> "AmountParts":
        named = [*self.minus, *self.plus]
        if twice := [name for number, name in enumerate(named) if name in named[:number]]:
            raise ValueError(f"{twice[0]!r} stands twice in minus and plus")
        if isinstance(self.once_per_order, list):
            known = [self.lines, *named]
            for name in self.once_per_order:
                if name not in known:
                    raise ValueError(f"once_per_order: {name!r} is no part of the amount: {', '.join(known)}")
        return self

    def is_once_per_order(self, part: str) -> bool:
        """Whether a part is an amount of the whole order."""
        return self.once_per_order if isinstance(self.once_per_order, bool) else part in self.once_per_order


class AmountPerOrder(Model):
    """What an order is worth if the source has no amounts."""

    per_order: float = Field(gt=0, le=1e9, description="the average value of an order; every order counts as this much")


def _kind_of_amount(value: Any) -> str:
    if isinstance(value, AmountPerOrder) or (isinstance(value, dict) and "per_order" in value):
        return "per_order"
    return "parts" if isinstance(value, dict | AmountParts) else "column"


Amount = Annotated[
    Annotated[str, Tag("column")] | Annotated[AmountParts, Tag("parts")] | Annotated[AmountPerOrder, Tag("per_order")],
    Discriminator(_kind_of_amount),
]


class Columns(Model):
    """The source's column for each standard name; `amount` may replace quantity and unit_price."""

    customer_id: IdColumns = Field(
        description="the customer id; several columns are joined: [store, id] if stores use the same numbers"
    )
    ordered_at: str = Field(description="date, or date and time")
    order_id: IdColumns | None = Field(
        None,
        description="the order id; several columns are joined: [date, number] if numbers begin again each day; without "
        "it, the rows of a customer and day are one order if a product is named, else each row is an order",
    )
    product_id: str | None = None
    description: str | None = Field(None, description="the name of the product")
    quantity: str | None = None
    unit_price: str | None = None
    amount: Amount | None = Field(
        None,
        description="the value of the line, instead of quantity and unit_price: a column, parts of it, or an average "
        "value per order; without any of them the report counts orders",
    )
    unit_cost: str | None = Field(None, description="your cost per unit")
    refund_of: str | None = Field(None, description="in rows with refunds, the order that is refunded")
    refund_customer_id: str | None = Field(
        None, description="the customer in rows with a negative amount, if they name the customer in another column"
    )
    country: str | None = None

    @model_validator(mode="after")
    def _require_amount(self) -> "Columns":
        if self.amount is None and (self.quantity is None) != (self.unit_price is None):
            raise ValueError("set amount, or both quantity and unit_price, or none of them to count orders")
        if isinstance(self.amount, AmountParts) and self.amount.once_per_order and self.order_id is None:
            raise ValueError("amount.once_per_order needs order_id")
        return self

    @property
    def named(self) -> dict[str, str]:
        """The source's column for each standard name that has one. An amount of parts and a joined id have none."""
        return {name: column for name, column in self if isinstance(column, str)}

    @property
    def counts_orders(self) -> bool:
        """Whether the source has no amounts, so that the report counts orders instead of money."""
        return self.amount is None and self.unit_price is None

    @property
    def order_value(self) -> float | None:
        """What each order is worth if the source has no amounts; None if it has."""
        if isinstance(self.amount, AmountPerOrder):
            return self.amount.per_order
        return 1.0 if self.counts_orders else None

    @property
    def joined_ids(self) -> dict[str, list[str]]:
        """The columns of each id that is made of several."""
        return {name: columns for name, columns in self if isinstance(columns, list)}

    def with_joined_ids(self) -> "Columns":
        """The columns with the name of the joined column in place of each list: `store + id`."""
        return self.model_copy(update={name: " + ".join(columns) for name, columns in self.joined_ids.items()})


def _file_mode(value: Any) -> str:
    if not re.fullmatch("6[046][046]", str(value)):
        raise ValueError(
            f"{value!r} is not a mode for files; write 600 (owner), 640 (group too) or 644 (everybody), without a 0 in "
            "front"
        )
    return str(value)


def _ascending(dates: list[date]) -> list[date]:
    if list(dates) != sorted(set(dates)):
        raise ValueError("list each date once, oldest first")
    return dates


class Sent(Model):
    """What the sending tool sent: its export, beside the lists that past_campaigns names."""

    file: str = Field(min_length=1, description="the export of the sending tool, one row a message or recipient")
    columns: dict[Literal["customer_id", "external_id", "email", "campaign", "sent_on", "outcome"], str] = Field(
        description="the names of its columns: customer_id, external_id or email, and if it has them campaign, sent_on "
        "and outcome"
    )
    campaigns: dict[str, str] = Field({}, description="the tool's name of a campaign, and its name on the lists")
    date_format: str | None = Field(None, pattern="%", description="a strptime pattern of sent_on, if it is not ISO")
    outcomes: dict[str, Literal["sent", "bounced", "unsubscribed", "not sent"]] = Field(
        {}, description="the tool's words for outcomes that are not known, and what they mean"
    )

    @model_validator(mode="after")
    def _know_customers(self) -> "Sent":
        if not {"customer_id", "external_id", "email"} & set(self.columns):
            raise ValueError("columns: name the column with customer_id, external_id or email")
        return self


class Shared(Model):
    """The parameters that all notebooks of a report share."""

    title: str = Field(min_length=1, description="the name of the report on its pages")
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="three letters, such as EUR")
    thousands_separator: Literal[",", " ", "'", ""] = Field(",", description="the thousands separator on the pages")
    source: Source = Field(description="where the line items are")
    columns: Columns = Field(description="the names of the columns in your data")
    history_complete: bool = Field(False, description="whether the data contain the first order of every customer")
    confirmed: list[Annotated[QuestionCode, BeforeValidator(_known_code)]] = Field(
        [], description="codes of the questions about the data to which the answer is: count them as they are"
    )
    attributes: str | None = Field(
        None, min_length=1, description="a file with attributes of customers, or `simulated`"
    )
    contacts: str | None = Field(
        None, min_length=1, description="a file with the permissions to contact customers, or `simulated`"
    )
    past_campaigns: str | None = Field(
        None,
        min_length=1,
        description="a file with past campaigns and their control groups (* and ? match several), or `simulated`",
    )
    sent: Sent | None = Field(None, description="what the sending tool sent of the past campaigns")

    @model_validator(mode="after")
    def _keeps_the_currency_of_the_report(self) -> "Shared":
        kept = self.source.currency.keep if self.source.currency else None
        if kept == "???":
            raise ValueError(
                f"source.currency.keep: the amounts are in several currencies; write keep: {self.currency} to count "
                "that one only, or rates: and a csv with the columns currency and rate to convert all"
            )
        if kept is not None and kept.strip().upper() != self.currency:
            raise ValueError(f"source.currency keeps {kept}, but currency is {self.currency}: write the same in both")
        return self

    @model_validator(mode="after")
    def _require_lists_of_what_was_sent(self) -> "Shared":
        if self.sent is None:
            return self
        if self.past_campaigns is None:
            raise ValueError(
                "sent: name the lists that were planned in past_campaigns (copies of data/contact_plan.parquet)"
            )
        if "customer_id" not in self.sent.columns and self.contacts is None:
            raise ValueError("sent.columns: addresses are looked up in contacts; name that file, or give customer_id")
        return self

    @property
    def unit(self) -> str:
        """What amounts are measured in: the currency, or orders if the source has no amounts."""
        return ORDERS if self.columns.counts_orders else self.currency

    @property
    def customer_tables(self) -> dict[str, str]:
        """The tables about customers that the report uses: for each a file, or `simulated`."""
        named = {"attributes": self.attributes, "contacts": self.contacts, "past_campaigns": self.past_campaigns}
        return {name: location for name, location in named.items() if location is not None}


class Every(StrEnum):
    """The length of a period of a rule for analysis dates."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


def _without_end(value: Any) -> Any:
    return value.removesuffix(" end") if isinstance(value, str) else value


class DateRule(Model):
    """Analysis dates that move on by themselves: the last days of complete periods."""

    every: Annotated[Every, BeforeValidator(_without_end, json_schema_input_type=Every | str)] = Field(
        description="the period, whose last day is an analysis date; a week ends on Sunday"
    )
    last: int = Field(4, ge=1, le=520, strict=True, description="how many dates are built: the newest ones")
    up_to: Literal["data", "today"] = Field(
        "data",
        description="data: up to the last period that ended by the last order; today: up to the last period that ended "
        "before the day of the run, if it has orders",
    )
    keep: int | None = Field(
        None, ge=1, strict=True, description="how many published dates are kept: older ones are removed; null keeps all"
    )

    @model_validator(mode="after")
    def _keep_what_is_built(self) -> "DateRule":
        if self.keep is not None and self.keep < self.last:
            raise ValueError(f"keep: {self.keep} is less than last: {self.last}, so dates would be built and removed")
        return self


Dates = Annotated[list[Annotated[date, BeforeValidator(_iso_day)]], Field(min_length=1), AfterValidator(_ascending)]


class Pages(Model):
    """Section `pages`: which pages a date has beside those of its notebooks."""

    customer_lookup: bool = Field(
        True, description="whether customers.html is made, on which a customer is found by id, segment, status or value"
    )


class Report(Shared):
    """The content of `params/<report>.yaml`."""

    analysis_dates: Annotated[
        Annotated[Dates, Tag("dates")] | Annotated[DateRule, Tag("rule")],
        Discriminator(lambda value: "rule" if isinstance(value, dict | DateRule) else "dates"),
    ] = Field(description="the days up to which data count, oldest first, or a rule that finds them")
    publish_mode: Annotated[str, BeforeValidator(_file_mode, json_schema_input_type=str | int)] = Field(
        "600",
        description="who may read files with customer ids: 600 only their owner, 640 the group too, 644 everybody",
    )
    timeout: float = Field(
        30, gt=0, le=10_080, description="the minutes that a notebook, and so each of its cells, may take"
    )
    pass_env: list[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\*?$")]] = Field(
        [],
        description="environment variables for notebooks of your own (AWS_* for several); others are not passed on, "
        "except what the database of the source needs",
    )
    pages: Pages = Pages()
    cleaning: Cleaning = Cleaning()
    rfm: Rfm = Rfm()
    segmentation: Segmentation = Segmentation()
    cltv: Cltv = Cltv()
    budget: Budget = Budget()
    custom: dict[str, Any] = {}
    delivery: Delivery | None = None

    @property
    def fixed_dates(self) -> list[date]:
        """The analysis dates that the file lists; none if a rule finds them."""
        return [] if isinstance(self.analysis_dates, DateRule) else self.analysis_dates

    @property
    def answered(self) -> list[QuestionCode]:
        """The questions that need not be asked: confirmed ones, and those whose parameter is written in the file."""
        written = {
            QuestionCode.DUPLICATES: "duplicates" in self.cleaning.model_fields_set,
            QuestionCode.NEGATIVE_ROWS: "cancellations" in self.cleaning.model_fields_set,
            QuestionCode.SHARED_IDS: isinstance(self.columns.customer_id, list),
            QuestionCode.EMAIL_IDS: "ignore_in_emails" in self.source.model_fields_set,
            QuestionCode.ORDER_NUMBERS: isinstance(self.columns.order_id, list),
            QuestionCode.UNASSIGNED_MONEY: isinstance(self.columns.amount, AmountParts),
        }
        return [code for code in QuestionCode if code in self.confirmed or written.get(code, False)]

    def with_rates_of_orders(self) -> "Report":
        """The report with orders as value: without a margin and a discount if the source has no amounts."""
        if not self.columns.counts_orders:
            return self
        rates = {"margin_rate": 1.0, "discount_rate": 0.0}
        unset = {name: rate for name, rate in rates.items() if name not in self.cltv.model_fields_set}
        return self.model_copy(update={"cltv": self.cltv.model_copy(update=unset)})

    @model_validator(mode="after")
    def _require_contacts_of_a_tool(self) -> "Report":
        if self.budget.send.format != "generic" and self.contacts is None:
            raise ValueError(
                f"budget.send.format: lists for {self.budget.send.format} need addresses; name the file that has them "
                "in contacts, or write generic"
            )
        return self

    @model_validator(mode="after")
    def _check_compare_with(self) -> "Report":
        compare_with, days = self.segmentation.compare_with, self.fixed_dates
        if compare_with not in ("previous", "none") and days and compare_with >= str(days[-1]):
            raise ValueError(
                f"segmentation.compare_with: {compare_with} is not before the last analysis date, {days[-1]}"
            )
        return self

    @model_validator(mode="after")
    def _require_orders_of_guests(self) -> "Report":
        if self.source.guests and self.source.guests.treat == "each_order" and self.columns.order_id is None:
            raise ValueError("source.guests: each_order needs columns.order_id; name it, or write treat: drop")
        return self

    @model_validator(mode="after")
    def _refuse_caps_on_amounts_of_parts(self) -> "Report":
        if self.cleaning.cap_outliers and isinstance(self.columns.amount, AmountParts):
            raise ValueError(
                "cleaning.cap_outliers computes amounts as quantity × unit_price; remove it, or set columns.amount to "
                "a column"
            )
        return self

    @model_validator(mode="after")
    def _check_title_of_simulation(self) -> "Report":
        if self.source.simulate and "simulated" not in self.title.lower():
            raise ValueError("the title of a simulated shop must contain `simulated`")
        return self


class PastTotals(Model):
    """What counts on an analysis date: rows, orders, customers, and revenue in the report's currency."""

    rows: int
    orders: int
    customers: int
    revenue: float


class Contacting(Model):
    """How the budget contacts customers, for the lists of all notebooks."""

    holdout_share: float
    seed: int
    send_format: str


class Settings(Shared):
    """The shared settings of one report and date (`settings.json` in a run folder)."""

    report: str
    analysis_date: date
    previous_date: date | None = None
    earlier_dates: list[date] = Field([], description="the report's analysis dates before this one")
    published: PastTotals | None = Field(
        None, description="what counted on this date before its source changed, or else what its published pages say"
    )
    contacting: Contacting | None = Field(None, description="parameters of 05_budget; null without a budget")
    root: str = Field(description="the project's folder, relative to the run folder")


SECTIONS: dict[str, type[Model]] = {
    "cleaning": Cleaning,
    "rfm": Rfm,
    "segmentation": Segmentation,
    "cltv": Cltv,
    "budget": Budget,
}
