"""Prove the plan for a year in simulated shops: python benchmarks/year.py [shops] [--processes 2] [--csv FILE].

Each shop is run forward for four waves. On each analysis date the year is planned anew with the money that is left and
with the lifts measured so far. What the plan earns is known exactly, because contacts only add orders to those that
come anyway. It is compared with what was promised on the first date, with simple plans, and with the same planner told
the truth (lifts, fatigue, the probability of each customer to buy anyway).
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import ibis
import numpy as np
import pandas as pd

from crm_utils import config
from crm_utils.budget import acquisition, audiences, calibration, customer_flow, unit_economics, uplift, year
from crm_utils.budget.simple_plans import TOP_SHARE
from crm_utils.budget.waves import Search, WaveTerms, YearPlan, YearProblem, plan_waves
from crm_utils.cltv import btyd, forecast
from crm_utils.config import Scoring, ScoringConfig, SegmentRules, SimulatedResponse, SimulatedShop
from crm_utils.config.acquisition import Acquisition
from crm_utils.config.campaigns import Campaign
from crm_utils.config.segment_map import SegmentMap
from crm_utils.rfm import measures
from crm_utils.rfm.scoring import compute_bin_edges, score_customers
from crm_utils.segmentation.assignment import assign_segments
from crm_utils.sources.simulated import forward

ROOT = Path(__file__).parents[1]
WAVES, WAVE_DAYS = 4, 91
WINDOW = 90  # so that a wave's window is over on the next analysis date
MARGIN = 0.4
FATIGUE = 0.8  # what the planner assumes
HOLDOUT = 0.1
STARTS_ON = date(2024, 6, 30)
OTHERS = {"group": "other customers", "action": "Write to them.", "window_days": WINDOW}
SEGMENT_MAP = config.read_yaml(ROOT / "params" / "segments" / "dma11.yaml", SegmentMap)
ADJUSTMENTS = pd.DataFrame(
    {"customer_id": pd.Series(dtype=str), "order_id": pd.Series(dtype=str), "revenue": pd.Series(dtype=float),
     "adjusted_at": pd.Series(dtype="datetime64[us]")}
)  # fmt: skip
# What the planner is told. The lift of each shop is drawn from the range: 0.4 to 1.6 times the lift
OFFERS = [
    {"name": "Newsletter", "where": "recency_score >= 1", "contact_cost": 0.03, "lift": 0.006, "fixed_cost": 25,
     "delivery_rate": 0.95},
    {"name": "Thanks", "segments": ["Champions", "Loyal Customers"], "contact_cost": 0.5, "lift": 0.03,
     "fixed_cost": 50},
    {"name": "Second order", "segments": ["Potential Loyalists", "Recent Customers", "Promising"],
     "contact_cost": 0.05, "incentive": 4, "redemption_rate": 0.5, "lift": 0.035, "fixed_cost": 50,
     "delivery_rate": 0.95},
    {"name": "Win back", "segments": ["At Risk", "Can't Lose Them", "Customers Needing Attention", "About to Sleep"],
     "contact_cost": 0.1, "incentive": 5, "redemption_rate": 0.4, "lift": 0.04, "fixed_cost": 50,
     "delivery_rate": 0.9},
    {"name": "Printed card", "where": "monetary_score >= 4", "contact_cost": 1.2, "lift": 0.045, "fixed_cost": 200},
    {"name": "Phone call", "where": "monetary_score >= 5", "contact_cost": 4.0, "lift": 0.06, "fixed_cost": 100},
]  # fmt: skip
MESSAGES = {"Newsletter": [1, 2, 3, 6]}
SPREAD = 0.6
ANYWAY = 0.2  # share of customers who redeem an incentive anyway, as simple plans reckon


@dataclass(frozen=True)
class Case:
    """A simulated shop, how its customers respond, and what its owner decides and knows."""

    shop: SimulatedShop
    response: SimulatedResponse
    budget: float
    today: dict[str, float]


def campaigns() -> pd.DataFrame:
    """What the planner is told of each campaign."""
    models = [
        Campaign(**OTHERS, **offer, lift_low=offer["lift"] * (1 - SPREAD), lift_high=offer["lift"] * (1 + SPREAD))
        for offer in OFFERS
    ]
    frame = pd.DataFrame([model.model_dump() for model in models])
    return frame.astype({"capacity": float, "max_spend": float}).assign(
        messages=[MESSAGES.get(name, [1]) for name in frame.name], not_within=[[]] * len(frame)
    )


def draw_case(seed: int) -> Case:
    """Draw a shop: its size, dropout, season, lifts, response to repeated contact, and cost of new customers.

    Lifts lie in the planner's range as often as it says. A share of their variance, half of it on average, is common to
    the campaigns of a shop.
    """
    rng = np.random.default_rng([seed, 99])
    customers = int(rng.integers(1500, 6000))
    shop = SimulatedShop(
        seed=seed, customers=customers, start=date(2021, 7, 1), end=STARTS_ON + timedelta(days=WAVES * WAVE_DAYS + 366),
        rate_shape=rng.uniform(0.6, 1.5), rate_scale=rng.uniform(50, 110), dropout_a=rng.uniform(0.5, 1.5),
        dropout_b=rng.uniform(2, 5), season=bool(rng.random() < 0.6), guest_share=0.0, campaign_on=None,
    )  # fmt: skip
    common = rng.random()
    luck = np.sqrt(common) * rng.normal() + np.sqrt(1 - common) * rng.normal(size=len(OFFERS))
    lifts = [offer["lift"] * max(1 + SPREAD / 1.645 * one, 0.0) for offer, one in zip(OFFERS, luck, strict=True)]
    value = rng.uniform(50, 110)
    costs = bool(rng.random() < 0.6)
    fatigue = float(np.clip(rng.normal(FATIGUE, year.FATIGUE_RANGE / 1.645), 0.4, 1.0))
    response = SimulatedResponse(
        seed=seed, lifts=dict(zip([offer["name"] for offer in OFFERS], lifts, strict=True)),
        fatigue=fatigue, repeat_response=fatigue, order_value=value, acquisition_noise=0.05,
        acquisition_cost=MARGIN * value * rng.uniform(1.5, 4.0) if costs else None,
    )  # fmt: skip
    today = dict(
        zip(response.lifts, customers * rng.dirichlet(np.ones(len(OFFERS))) * rng.uniform(0.2, 1), strict=True)
    )
    return Case(shop, response, round(customers * rng.uniform(0.3, 4), 2), today)


@dataclass(frozen=True)
class Scored:
    """Customers with scores, segments and orders, as the notebooks 02 and 03 make them."""

    day: date
    orders: ibis.Table
    adjustments: ibis.Table
    customers: pd.DataFrame
    segments: pd.DataFrame
    rules: SegmentRules

    def audience(self, customers: pd.DataFrame, offers: pd.DataFrame) -> pd.DataFrame:
        """Whom each campaign may address: customer_id × campaign."""
        return unit_economics.eligible_customers(customers, offers, list(self.rules.segment_map.advice()))


def score_shop(future: forward.Future, position: forward.Position) -> Scored:
    """Score customers and assign segments."""
    day, scoring = forward.today(future, position), ScoringConfig()
    connection = ibis.duckdb.connect(threads=1)
    placed = connection.create_table("orders", forward.orders_by(future, position))
    adjustments = connection.create_table("adjustments", ADJUSTMENTS)
    measured = measures.rfm_as_of(placed, adjustments, day, scoring)
    edges = compute_bin_edges(measured, scoring)
    customers = score_customers(measured, scoring, edges)
    rules = SegmentRules(scoring=Scoring(config=scoring, bin_edges=edges), segment_map=SEGMENT_MAP, new_within_days=90)
    return Scored(day, placed, adjustments, customers, assign_segments(customers, rules, day), rules)


@dataclass(frozen=True)
class Known:
    """What a report knows on an analysis date."""

    scored: Scored
    people: pd.DataFrame
    models: btyd.CustomerBaseModel


def read_shop(future: forward.Future, position: forward.Position) -> Known:
    """Fit the models, as the notebook 04 does."""
    scored = score_shop(future, position)
    summary = forecast.rfm_summary(scored.orders, scored.day)
    models = btyd.fit_customer_base(summary)
    expected = forecast.forecast_customers(summary, models, scored.day)
    people = unit_economics.customer_economics(scored.customers, scored.segments, expected, MARGIN, None)
    return Known(scored, people, models)


def chances(known: Known, waves: int) -> list[pd.Series]:
    """Each customer's probability of buying anyway in each wave, corrected by past windows."""
    scored = known.scored
    windows = calibration.WindowCalibration(
        scored.orders, scored.adjustments, WAVE_DAYS, scored.rules, scored.customers, scored.segments
    )
    modelled = btyd.purchase_probabilities(known.models.purchase, known.people, [WAVE_DAYS])[WAVE_DAYS]
    segment = known.people.set_index("customer_id").segment
    return calibration.probabilities_by_wave(modelled, segment, windows, scored.day, waves)


@dataclass(frozen=True)
class Assembled:
    """A problem for the planner, and what it was made from."""

    problem: YearProblem
    groups: pd.DataFrame
    value: acquisition.NewCustomerValue
    size_error: float


def assemble(
    known: Known, case: Case, terms: WaveTerms, budget: float, offers: pd.DataFrame, past: pd.DataFrame | None,
    probabilities: list[pd.Series], holdout_share: float,
) -> Assembled:  # fmt: skip
    """Assemble what the planner needs."""
    scored, people = known.scored, known.people
    ids, day = people.customer_id, scored.day
    eligible = scored.audience(people, offers)
    audience = audiences.find_audience(eligible, None, None, offers, day, 0, holdout_share, 1)
    level = customer_flow.contact_levels(past, ids, day, WAVE_DAYS)
    groups = unit_economics.planning_groups(people, audience, level)
    options = unit_economics.contact_options(groups, eligible, offers, pd.DataFrame({WINDOW: probabilities[0]}))
    moves = customer_flow.observe_moves(scored.orders, scored.adjustments, scored.rules, day, WAVE_DAYS)
    judged = customer_flow.judge_sizes(moves)
    useful = customer_flow.moves_are_useful(judged)
    flow = customer_flow.build_flow(groups, moves, useful, probabilities, WAVE_DAYS, day)
    value = acquisition.new_customer_value(acquisition.first_year_margins(scored.orders, day, MARGIN, None, True))
    cost = case.response.acquisition_cost
    known_cost = None if cost is None else Acquisition(cost_per_customer=cost)
    steps = acquisition.cost_steps(known_cost, value, terms.waves * WAVE_DAYS / 365)
    problem = YearProblem(options, offers, flow, terms, budget, holdout_share=holdout_share, steps=steps)
    return Assembled(problem, groups, value, customer_flow.size_error(judged, moves))


@dataclass(frozen=True)
class Decision:
    """What is done in a wave: lists with treatment and control, money for new customers, and the plan behind them."""

    lists: pd.DataFrame
    won_spend: float = 0.0
    plan: YearPlan | None = None
    assembled: Assembled | None = None


Planner = Callable[[forward.Future, forward.Position, float, pd.DataFrame | None], Decision]


def decide(assembled: Assembled) -> Decision:
    """Plan the rest of the year, and take its first wave."""
    plan = plan_waves(assembled.problem, search=Search.GOOD)
    lists = audiences.assign_audiences(assembled.groups, year.first_wave(plan, assembled.problem))
    return Decision(lists, float(plan.won.spend.iloc[0]), plan, assembled)


def planned(case: Case, future, position, budget: float, past: pd.DataFrame | None) -> Decision:
    """Our plan: what a report knows on the date."""
    known, offers = read_shop(future, position), campaigns()
    if past is not None:
        measured = uplift.measure_campaigns(
            uplift.add_response(past, FATIGUE, WAVE_DAYS), known.scored.orders, known.people.customer_id,
            offers, MARGIN, known.scored.day,
        )  # fmt: skip
        offers = uplift.update_lifts(offers, measured)
    terms = WaveTerms(WAVES - position.wave, WAVE_DAYS, FATIGUE)
    return decide(assemble(known, case, terms, budget, offers, past, chances(known, terms.waves), HOLDOUT))


def told(case: Case, future, position, budget: float, past: pd.DataFrame | None) -> Decision:
    """The oracle's plan: the true lifts, fatigue and probabilities. It has nothing to measure."""
    known = read_shop(future, position)
    lift = campaigns().name.map(case.response.lifts)
    offers = campaigns().assign(lift=lift, lift_low=lift, lift_high=lift)
    terms = WaveTerms(WAVES - position.wave, WAVE_DAYS, case.response.fatigue)
    truth = [
        pd.Series(forward.probability_anyway(future, position, wave, WINDOW), future.customers.customer_id)
        for wave in range(position.wave, WAVES)
    ]
    assembled = assemble(known, case, terms, budget, offers, past, truth, 0.0)
    return decide(assembled)


def simple(case: Case, name: str, future, position, budget: float, past: pd.DataFrame | None) -> Decision:
    """A simple plan for the segments of the date, which spends at most the same in each wave.

    everybody: the newsletter. top spenders: the fifth with the most revenue, each with the campaign that promises most.
    today's spending: each campaign's money of today, to customers of its audience by chance.
    """
    scored, offers = score_shop(future, position), campaigns().set_index("name")
    people = scored.customers.merge(scored.segments, on="customer_id")
    audience = scored.audience(people, offers.reset_index())
    cost = offers.contact_cost + ANYWAY * offers.redemption_rate * offers.incentive
    order = np.random.default_rng([case.shop.seed, position.wave, 5]).permutation(len(people))
    money, most = budget / (WAVES - position.wave), pd.Series(np.inf, offers.index)
    if name == "everybody":
        audience = audience[["Newsletter"]]
    elif name == "top spenders":
        order = np.argsort(-people.revenue.to_numpy(), kind="stable")[: int(TOP_SHARE * len(people))]
        promised = offers.lift * MARGIN * people.revenue.sum() / people.orders.sum() - cost
        best = np.where(audience, promised, -np.inf).argmax(axis=1)
        audience = audience & (best[:, None] == np.arange(len(offers)))
    else:
        most = pd.Series(case.today) * min(case.budget / sum(case.today.values()), 1) / WAVES
    lists, used = [], np.zeros(len(people), bool)
    for offer in cost[audience.columns].sort_values(ascending=False).index:
        open_to = order[(audience[offer].to_numpy() & ~used)[order]]
        left = min(money, most[offer]) - offers.fixed_cost[offer]
        taken = open_to[: max(int(left / cost[offer]), 0)]
        used[taken] = True
        money -= len(taken) * cost[offer] + offers.fixed_cost[offer] * bool(len(taken))
        lists.append(pd.DataFrame({"customer_id": people.customer_id.to_numpy()[taken], "campaign": offer}))
    return Decision(pd.concat(lists).assign(group="treatment", messages=1))


@dataclass(frozen=True)
class Result:
    """What a plan brought in all waves."""

    profit: float
    spend: float
    contacts_profit: float
    contacts: int
    won: int
    first: Decision


def follow(case: Case, future: forward.Future, planner: Planner) -> Result:
    """Run a shop forward: plan on each analysis date, with the money left and what was measured."""
    position, past, spent, earned, contacts, first = forward.start(future), None, 0.0, 0.0, 0, None
    terms = campaigns().set_index("name")
    on_customers = 0.0
    for _ in range(WAVES):
        decision = planner(future, position, max(case.budget - spent, 0.0), past)
        first = first or decision
        listed = decision.lists
        contacted_on = pd.Timestamp(forward.today(future, position) + timedelta(days=1))
        sent = listed[listed.group == "treatment"].merge(
            terms[["window_days", "delivery_rate"]], left_on="campaign", right_index=True
        )
        position, outcome = forward.run_wave(
            future, position, sent[["customer_id", "campaign", "messages", "window_days", "delivery_rate"]],
            decision.won_spend,
        )  # fmt: skip
        cost, revenue = money_of(outcome, terms)
        spent += cost + decision.won_spend
        on_customers += decision.won_spend
        earned += MARGIN * revenue - cost
        contacts += int(outcome.messages.sum())
        log = listed[["campaign", "customer_id", "group", "messages"]].assign(contacted_on=contacted_on)
        past = pd.concat([past, log], ignore_index=True)
    won = position.present & (future.customers.wave >= 0).to_numpy()
    brought = MARGIN * forward.first_year_revenue(future, position) - on_customers
    return Result(earned + brought, spent, earned, contacts, int(won.sum()), first)


def money_of(outcome: pd.DataFrame, terms: pd.DataFrame) -> tuple[float, float]:
    """Return what contacts cost, and the revenue they added."""
    term = terms.loc[outcome.campaign]
    given = term.redemption_rate.to_numpy() * term.incentive.to_numpy() * (outcome.delivered & outcome.bought)
    cost = (outcome.messages.to_numpy() * term.contact_cost.to_numpy()).sum() + given.sum()
    running = terms.fixed_cost[outcome.campaign.unique()].sum()
    return float(cost + running), float(outcome.added_revenue.sum())


SIMPLE = ("everybody", "top spenders", "today's spending")


def judge(seed: int) -> dict[str, float]:
    """Run one shop under each plan."""
    started, case = time.perf_counter(), draw_case(seed)
    future = forward.draw_future(case.shop, case.response, STARTS_ON, WAVE_DAYS, WAVES)
    ours = follow(case, future, partial(planned, case))
    oracle = follow(case, future, partial(told, case))
    plan, assembled = ours.first.plan, ours.first.assembled
    low, high = year.profit_range(plan, assembled.problem.campaigns, assembled.value, assembled.size_error, FATIGUE)
    row = {
        "seed": seed, "customers": len(assembled.groups), "budget": case.budget,
        "acquisition": case.response.acquisition_cost is not None, "promised": plan.expected_profit, "low": low,
        "high": high, "realised": ours.profit, "spend": ours.spend, "planned_spend": plan.spend,
        "promised_contacts": plan.expected_profit - plan.won.expected_profit.sum(),
        "realised_contacts": ours.contacts_profit, "won_planned": plan.won.customers.sum(), "won": ours.won,
        "value_of_new": assembled.value.mean, "oracle": oracle.profit, "oracle_contacts": oracle.contacts_profit,
        "oracle_promised": oracle.first.plan.expected_profit,
        "lift_ratio": np.mean([case.response.lifts[o["name"]] / o["lift"] for o in OFFERS]),
        "fatigue": case.response.fatigue,
    }  # fmt: skip
    for name in SIMPLE:
        row[name] = follow(case, future, partial(simple, case, name)).profit
    return row | {"seconds": time.perf_counter() - started}


def summarize(table: pd.DataFrame) -> None:
    """Print how often the promised range held, how often the plan beat all simple plans, and the regret."""
    inside = table.realised.between(table.low, table.high)
    best = table[list(SIMPLE)].max(axis=1).clip(lower=0)
    regret = (table.oracle - table.realised) / table.oracle
    print(f"{len(table)} shops: what the plan earned lies in the promised 90 % range in {inside.mean():.0%}")
    print(f"it beats the best simple plan in {(table.realised >= best).mean():.0%}")
    print(f"median of earned / promised: {(table.realised / table.promised).median():.2f}")
    print(f"regret: {regret.mean():.0%} of what the planner who knows the truth earns (median {regret.median():.0%},")
    print(f"all shops together {1 - table.realised.sum() / table.oracle.sum():.0%})")
    means = table[["promised", "realised", "oracle", *SIMPLE]].mean().round()
    print("mean profit: " + ", ".join(f"{name} {value:,.0f}" for name, value in means.items()))
    failed = table[~inside | (table.realised < best)]
    columns = ["seed", "promised", "low", "high", "realised", "oracle", "lift_ratio", "fatigue"]
    print(failed[columns].assign(best_simple=best).round(2).to_string(index=False))


def main() -> None:
    """Run many shops, and print how often the promise held, and how the plan compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shops", type=int, nargs="?", default=50)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.shops)
    with ProcessPoolExecutor(asked.processes) as pool:
        rows = []
        for row in pool.map(judge, seeds):
            rows.append(row)
            print(f"shop {row['seed']}: {row['realised']:,.0f} of {row['promised']:,.0f} promised", flush=True)
    table = pd.DataFrame(rows)
    if asked.csv:
        table.to_csv(asked.csv, index=False)
    summarize(table)


if __name__ == "__main__":
    main()
