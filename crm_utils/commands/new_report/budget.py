"""A budget and costs of campaigns in the size of the shop: assumptions to replace.

The shipped campaigns are made for a shop whose mean order is about `MADE_FOR_ORDER` in its currency. In a shop whose
mean order is 4,000 yen, a contact does not cost 0.05.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

# The budget to propose, as a share of the revenue of the last 12 months
BUDGET_SHARE = 0.01
# The mean order, in its currency, of the shops for which the costs in params/campaigns.yaml are made
MADE_FOR_ORDER = 40
# Costs stay as they are if the mean order is within this factor of it.
ALIKE = 3
COSTS = re.compile(r"^(\s+(?:- )?(?:contact_cost|fixed_cost|incentive|min_spend|max_spend): *)([\d.]+)(.*)$", re.M)
HEADER = """\
# The campaigns of params/campaigns.yaml. Amounts are multiplied by {factor:g}: a mean order here is {order}, there
# about {made_for}. They are assumptions: write what your campaigns cost.
"""


@dataclass(frozen=True)
class Budget:
    """What `make new` proposes to spend.

    Parameters
    ----------
    total : float
        The budget, rounded to two digits.
    factor : float
        By how much the costs of the shipped campaigns are multiplied.
    mean_order : float
        Mean revenue of an order.
    """

    total: float
    factor: float
    mean_order: float


def propose_budget(revenue_12m: float, revenue: float, orders: int) -> Budget | None:
    """Propose a budget from the revenue of the last 12 months, and costs from the mean order. None without revenue."""
    if revenue_12m <= 0 or orders <= 0:
        return None
    mean_order = revenue / orders
    return Budget(_two_digits(BUDGET_SHARE * revenue_12m), _round_factor(mean_order / MADE_FOR_ORDER), mean_order)


def scale_campaigns(text: str, budget: Budget, mean_order: str) -> str:
    """The campaigns file with its amounts multiplied, and a first line that says so."""

    def scaled(found: re.Match[str]) -> str:
        return f"{found[1]}{float(found[2]) * budget.factor:.10g}{found[3]}"

    header = HEADER.format(factor=budget.factor, order=mean_order, made_for=MADE_FOR_ORDER)
    return header + COSTS.sub(scaled, text)


def write_campaigns(root: Path, name: str, budget: Budget, mean_order: str) -> str | None:
    """Write `params/<name>_campaigns.yaml` if costs must be scaled; return its name for `budget.campaigns_file`."""
    shipped, path = root / "params" / "campaigns.yaml", root / "params" / f"{name}_campaigns.yaml"
    if budget.factor == 1 or path.exists() or not shipped.exists():
        return None
    path.write_text(scale_campaigns(shipped.read_text(encoding="utf-8"), budget, mean_order), encoding="utf-8")
    return path.stem


def _two_digits(amount: float) -> float:
    rounded = float(f"{amount:.2g}")
    return int(rounded) if rounded.is_integer() else rounded


def _round_factor(ratio: float) -> float:
    """1 if the ratio is near it, else the nearest of 1, 2 and 5 times a power of ten."""
    if 1 / ALIKE <= ratio <= ALIKE:
        return 1.0
    powers = range(math.floor(math.log10(ratio)) - 1, math.floor(math.log10(ratio)) + 2)
    steps = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    return float(f"{min(steps, key=lambda step: abs(math.log(ratio / step))):.6g}")
