"""The labels of this stage's codes on a page."""

from crm_utils.segmentation.lifecycle import LifecycleStatus
from crm_utils.segmentation.migration import Cause
from crm_utils.segmentation.profiling import Breadth, Price, Returns

STATUS_LABELS = {
    LifecycleStatus.NEW.value: "New",
    LifecycleStatus.ACTIVE.value: "Active",
    LifecycleStatus.COOLING.value: "Cooling",
    LifecycleStatus.SILENT.value: "Silent",
    LifecycleStatus.GONE.value: "Gone",
}
CAUSE_LABELS = {
    Cause.BOUGHT.value: "Bought",
    Cause.STAYED_SILENT.value: "Did not buy",
    Cause.BIN_EDGES_MOVED_BY_EXISTING.value: "Score limits moved by existing customers",
    Cause.BIN_EDGES_MOVED_BY_NEW.value: "Score limits moved by new customers",
    Cause.ARRIVALS_LESS_DEPARTURES.value: "New customers less those who left",
}
TRAIT_LABELS = {"price": "price level", "breadth": "variety"}
# Labels for traits whose values are codes. Values of other traits are written unchanged.
TRAIT_VALUE_LABELS = {
    "price": {
        Price.PRICE_FOCUSED.value: "below the usual price",
        Price.AVERAGE.value: "the usual price",
        Price.PREMIUM.value: "above the usual price",
    },
    "returns": {Returns.FEW.value: "few returns", Returns.MANY.value: "many returns"},
    "breadth": {
        Breadth.FEW_PRODUCTS.value: "few different products",
        Breadth.MANY_PRODUCTS.value: "many different products",
    },
}


def status_label(status: str) -> str:
    """Write a status within a sentence: cooling -> 'cooling'."""
    return STATUS_LABELS.get(status, status).lower()


def trait_label(trait: str) -> str:
    """Write a trait within a sentence: favourite_product -> 'favourite product'."""
    return TRAIT_LABELS.get(trait, trait.replace("_", " "))


def trait_value_label(trait: str, value: str) -> str:
    """Write the value of a trait."""
    return TRAIT_VALUE_LABELS.get(trait, {}).get(value, value)
