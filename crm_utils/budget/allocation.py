"""Which option gets how many contacts: the plan of highest expected profit, as a mixed-integer programme (HiGHS)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csr_array, hstack, vstack

from crm_utils.budget.errors import BudgetError
from crm_utils.budget.quiet import silent

GAP = 1e-7  # of the expected profit: how far from the best plan the solver may stop


@dataclass(frozen=True)
class _Programme:
    """Minimise cost @ [contacts…, campaign runs…] with low ≤ rows @ … ≤ high. The first row is the budget."""

    used: pd.DataFrame
    cost: np.ndarray
    rows: csr_array
    low: np.ndarray
    high: np.ndarray
    upper: np.ndarray

    @property
    def lines(self) -> int:
        return len(self.used)


def allocate(
    options: pd.DataFrame,
    campaigns: pd.DataFrame,
    budget: float,
    target_return: float | None = None,
    control_share: float = 0.0,
) -> pd.DataFrame:
    """The options with `contacts` (whole customers): the plan of highest expected profit, one campaign a customer.

    Within the budget, each campaign's min_spend and max_spend (money, its fixed cost included) and capacity (contacts);
    of each group the control share stays free. Spend counts contacts, fixed costs and the incentives expected to be
    redeemed. What would not earn its cost stays unspent. With a `target_return` the budget does not matter: the plan
    then earns at least that profit per unit of money. Raises `BudgetError` where no plan can honour the limits.
    """
    _refuse(options, campaigns, budget, target_return, control_share)
    programme = _programme(options, campaigns, budget, target_return, control_share)
    if not programme.lines:
        return options.assign(contacts=0)
    with silent():
        solution = milp(
            programme.cost,
            integrality=np.ones(len(programme.cost)),
            bounds=(0, programme.upper),
            constraints=LinearConstraint(programme.rows, programme.low, programme.high),
            options={"mip_rel_gap": GAP},
        )
    if solution.x is None:
        raise BudgetError(
            f"no plan honours all limits: check min_spend, max_spend and capacity of the campaigns ({solution.message})"
        )
    contacts = np.round(solution.x[: programme.lines]).astype(int)
    planned = pd.Series(contacts, index=programme.used.index).reindex(options.index, fill_value=0)
    return options.assign(contacts=planned)


def marginal_return(
    allocated: pd.DataFrame, campaigns: pd.DataFrame, budget: float, control_share: float = 0.0
) -> float:
    """Profit of the last unit of money: the budget's dual in the plan's continuous relaxation, its campaigns running. 0 where money is left over."""
    programme = _programme(allocated, campaigns, budget, None, control_share)
    if not programme.lines or budget == 0:
        return 0.0
    running = campaigns.name.isin(allocated.campaign[allocated.contacts > 0]).to_numpy(float)
    low = np.concatenate([np.zeros(programme.lines), running])
    high = np.concatenate([programme.upper[: programme.lines], running])
    least = np.isfinite(programme.low)
    rows = vstack([programme.rows, -programme.rows[least]])
    limits = np.concatenate([programme.high, -programme.low[least]])
    solved = linprog(
        programme.cost, rows, np.where(np.isinf(limits), 1e15, limits), bounds=np.column_stack([low, high])
    )
    return float(-solved.ineqlin.marginals[0]) if solved.status == 0 else 0.0


def expected_profit(allocated: pd.DataFrame, campaigns: pd.DataFrame) -> float:
    """Expected profit of the contacts, fixed costs of the campaigns that run taken off."""
    return float((allocated.contacts * allocated.profit).sum() - _fixed(allocated, campaigns))


def spend(allocated: pd.DataFrame, campaigns: pd.DataFrame) -> float:
    """Money the plan is expected to cost: contacts, redeemed incentives, fixed costs."""
    return float((allocated.contacts * allocated.spend).sum() + _fixed(allocated, campaigns))


def limits_that_bind(
    allocated: pd.DataFrame, campaigns: pd.DataFrame, budget: float, target_return: float | None = None
) -> list[str]:
    """What keeps the plan from earning more: 'the budget', 'the target return', or a campaign's capacity or spend limits."""
    names = []
    left = budget - spend(allocated, campaigns)
    waiting = allocated[(allocated.profit > 0) & (allocated.contacts < allocated.customers)]
    if target_return is not None:
        names.append("the target return")
    elif len(waiting) and left < waiting.spend.min():
        names.append("the budget")
    for campaign in campaigns.itertuples():
        own = allocated[allocated.campaign == campaign.name]
        used = (own.contacts * own.spend).sum() + campaign.fixed_cost * own.contacts.any()
        step = own.spend.max() if len(own) else 0
        if campaign.capacity == own.contacts.sum() and own.contacts.any():
            names.append(f"the capacity of {campaign.name}")
        if used + step > campaign.max_spend:
            names.append(f"the maximum of {campaign.name}")
        if campaign.min_spend > 0 and used - step < campaign.min_spend:
            names.append(f"the minimum of {campaign.name}")
    return names


def _fixed(allocated: pd.DataFrame, campaigns: pd.DataFrame) -> float:
    return float(campaigns.fixed_cost[campaigns.name.isin(allocated.campaign[allocated.contacts > 0])].sum())


def _refuse(options, campaigns, budget, target_return, control_share) -> None:
    if not np.isfinite(budget) or budget < 0:
        raise BudgetError(f"budget: {budget} is no amount of money that can be spent; give 0 or more")
    if not 0 <= control_share < 1:
        raise BudgetError(f"control_share: {control_share} is no share of a list; give 0 or more, below 1")
    if target_return is None and campaigns.min_spend.sum() > budget:
        asked = campaigns[campaigns.min_spend > 0]
        named = ", ".join(f"{row.name} {row.min_spend:,.2f}" for row in asked.itertuples(index=False))
        raise BudgetError(
            f"the campaigns' minimums ({named}) come to {asked.min_spend.sum():,.2f}, the budget is {budget:,.2f}: lower them or raise the budget"
        )
    for campaign in campaigns[campaigns.min_spend > 0].itertuples():
        own = options[options.campaign == campaign.name]
        most = (np.floor(own.customers * (1 - control_share)) * own.spend).sum() + campaign.fixed_cost
        if own.empty or most < campaign.min_spend:
            raise BudgetError(
                f"campaign {campaign.name}: its minimum of {campaign.min_spend:,.2f} cannot be spent on {own.customers.sum():,.0f} eligible customers (at most {most if len(own) else 0:,.2f})"
            )


def _programme(options, campaigns, budget, target_return, control_share) -> _Programme:
    forced = options.campaign.isin(campaigns.name[campaigns.min_spend > 0])
    used = options[(options.profit > 0) | forced]
    lines, switches = len(used), len(campaigns)
    row = np.arange(lines)
    campaign = used.campaign.map({name: place for place, name in enumerate(campaigns.name)}).to_numpy(int)
    group = used.group.rank(method="dense").to_numpy(int) - 1
    room = np.floor(used.customers.to_numpy(float) * (1 - control_share) + 1e-9)
    fixed = campaigns.fixed_cost.to_numpy(float)
    groups = int(group.max()) + 1 if lines else 0
    size = np.zeros(groups)
    size[group] = room
    contacts_of = coo_array((np.ones(lines), (campaign, row)), (switches, lines)).tocsr()
    spent_on = coo_array((used.spend.to_numpy(float), (campaign, row)), (switches, lines)).tocsr()
    none, runs = csr_array((switches, switches)), csr_array(np.diag(fixed))
    all_spend = csr_array(np.concatenate([used.spend, fixed])[None, :])
    once = coo_array((np.ones(lines), (group, row)), (groups, lines + switches))
    opened = coo_array(
        (np.concatenate([np.ones(lines), -room]), (np.tile(row, 2), np.concatenate([row, lines + campaign]))),
        (lines, lines + switches),
    )
    profit = np.concatenate([used.profit, -fixed])
    blocks = [all_spend, once, opened, hstack([contacts_of, none]), hstack([spent_on, runs])]
    enough = budget if target_return is None else np.inf
    high = [[enough], size, np.zeros(lines), campaigns.capacity.fillna(np.inf), campaigns.max_spend.fillna(np.inf)]
    low = [
        np.full(1 + groups + lines + switches, -np.inf),
        np.where(campaigns.min_spend > 0, campaigns.min_spend, -np.inf),
    ]
    if target_return is not None:
        blocks.append(csr_array(profit[None, :]) - target_return * all_spend)
        high.append([np.inf])
        low.append([0.0])
    return _Programme(
        used,
        -profit,
        csr_array(vstack(blocks)),
        np.concatenate(low).astype(float),
        np.concatenate(high).astype(float),
        np.concatenate([room, np.ones(switches)]),
    )
