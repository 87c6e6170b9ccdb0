"""The format and the heading of each column on a page."""

from typing import NamedTuple

# A whole number.
COUNT = "count"
# A share as a percentage: 0.25 is written 25%.
SHARE = "share"
# A difference between shares in percentage points: 0.025 is written 2.5.
POINTS = "points"
# An amount without cents.
MONEY = "money"
# An amount with cents.
CENTS = "cents"
# An amount that shows cents only if all amounts of this kind in the table are small.
SUM = "sum"
# Numbers that are already text. They are only aligned like numbers.
NUMBER_TEXT = "number text"


class ColumnFormat(NamedTuple):
    """How one column is written.

    Parameters
    ----------
    kind : str
        One of the kinds above, or a format string such as "{:.2f}".
    heading : str, optional
        Written over the column. Without one, the heading is the column's name with spaces.
    """

    kind: str
    heading: str | None = None


COLUMN_FORMATS = {
    # Cleaning
    "rows_removed": ColumnFormat(COUNT),
    "rows_left": ColumnFormat(COUNT),
    "customers_left": ColumnFormat(COUNT),
    "revenue_removed": ColumnFormat(CENTS),
    "revenue_left": ColumnFormat(CENTS),
    "quantity": ColumnFormat("{:,g}"),
    "unit_price": ColumnFormat(CENTS, "Unit price"),
    "amount": ColumnFormat(CENTS),
    "placed": ColumnFormat(CENTS, "Ordered"),
    "taken_back": ColumnFormat(CENTS, "Cancelled"),
    "left": ColumnFormat(CENTS, "Revenue"),
    "quarter_below": ColumnFormat(NUMBER_TEXT, "25% are below"),
    "half_below": ColumnFormat(NUMBER_TEXT, "50% are below"),
    "three_quarters_below": ColumnFormat(NUMBER_TEXT, "75% are below"),
    # Customers and orders
    "customers": ColumnFormat(COUNT),
    "new_customers": ColumnFormat(COUNT),
    **{f"margin_{days}d": ColumnFormat(CENTS) for days in (30, 91, 182, 365, 730)},
    "payback_days": ColumnFormat(COUNT),
    "orders": ColumnFormat(COUNT),
    "revenue": ColumnFormat(MONEY),
    "customer_share": ColumnFormat(SHARE, "Share of customers"),
    "top_share": ColumnFormat(SHARE),
    "revenue_share_before": ColumnFormat(SHARE),
    "revenue_share": ColumnFormat(SHARE, "Share of revenue"),
    "recency_days": ColumnFormat(COUNT, "Mean days since last order"),
    "mean_orders": ColumnFormat("{:.1f}", "Orders per customer"),
    "mean_order_value": ColumnFormat(CENTS),
    "days": ColumnFormat(COUNT),
    "size": ColumnFormat(COUNT),
    "share": ColumnFormat(SHARE),
    # Scores
    "in_the_cell": ColumnFormat(COUNT, "Customers in the cell"),
    "in_cell": ColumnFormat(COUNT, "Customers in the cell"),
    "differ": ColumnFormat(COUNT, "Customers scored differently"),
    "other": ColumnFormat(COUNT, "Customers, default method"),
    # Segments
    "bootstrap_retention": ColumnFormat(SHARE, "Stay in their segment"),
    "unstable_customers": ColumnFormat(COUNT),
    "typical_recency_days": ColumnFormat(COUNT, "Median days since last order"),
    "typical_orders": ColumnFormat(COUNT, "Median orders"),
    "typical_revenue": ColumnFormat(MONEY, "Median revenue"),
    "main_share": ColumnFormat(SHARE, "Share of the cluster"),
    "main_country_share": ColumnFormat(SHARE, "Share of the segment"),
    "share_of_all": ColumnFormat(SHARE, "Share of all customers"),
    "price_focused": ColumnFormat(SHARE, "Pay below the usual price"),
    "premium": ColumnFormat(SHARE, "Pay above the usual price"),
    "distinct_products": ColumnFormat(COUNT, "Products bought"),
    "return_share": ColumnFormat(SHARE, "Share returned"),
    "strength": ColumnFormat("{:.2f}", "Strength (0 to 1)"),
    # Customer lifetime value
    "purchase_days": ColumnFormat(COUNT),
    "purchase_day": ColumnFormat(COUNT, "Purchase day number"),
    "past_revenue": ColumnFormat(MONEY, "Revenue so far"),
    "mean_purchase_value": ColumnFormat(CENTS, "Mean value of a purchase day"),
    "silent_days": ColumnFormat(COUNT, "Days since last order"),
    "p_alive": ColumnFormat(SHARE, "Probably still active"),
    "chance_6m": ColumnFormat(SHARE, "Chance to buy within 6 months"),
    "chance_12m": ColumnFormat(SHARE, "Chance to buy within 12 months"),
    "expected_purchase_days_12m": ColumnFormat(COUNT, "Expected purchase days, 12 months"),
    "expected_revenue_12m": ColumnFormat(MONEY, "Expected revenue, 12 months"),
    "clv": ColumnFormat(MONEY, "CLV"),
    "clv_low": ColumnFormat(MONEY, "CLV, low end"),
    "clv_high": ColumnFormat(MONEY, "CLV, high end"),
    "clv_share": ColumnFormat(SHARE, "Share of CLV"),
    "clv_per_customer": ColumnFormat(CENTS, "CLV per customer"),
    "historical_clv": ColumnFormat(MONEY, "CLV from past orders only"),
    "value": ColumnFormat("{:,.4f}"),
    "standard_error": ColumnFormat("{:,.4f}"),
    "revenue_low": ColumnFormat(MONEY, "Low end"),
    "revenue_high": ColumnFormat(MONEY, "High end"),
    "revenue_known": ColumnFormat(MONEY, "From today’s customers"),
    "revenue_known_before": ColumnFormat(MONEY, "Before: from customers known then"),
    "revenue_new_before": ColumnFormat(MONEY, "Before: from new customers"),
    "revenue_before": ColumnFormat(MONEY, "Before: all"),
    # Backtest
    "purchase_days_actual": ColumnFormat(COUNT, "Purchase days, actual"),
    "purchase_days_predicted": ColumnFormat(COUNT, "Purchase days, forecast"),
    "revenue_actual": ColumnFormat(MONEY, "Revenue, actual"),
    "revenue_predicted": ColumnFormat(MONEY, "Revenue, forecast"),
    "weight": ColumnFormat(SHARE),
    "tests": ColumnFormat(COUNT),
    "mean_error": ColumnFormat(SHARE, "Mean error of revenue"),
    "ranges": ColumnFormat(COUNT, "Tests with a range"),
    "ranges_held": ColumnFormat(COUNT, "Within the range"),
    "mean_width": ColumnFormat(SHARE, "Mean width, share of the forecast"),
    "days_predicted": ColumnFormat("{:.2f}", "Purchase days per customer, forecast"),
    "days_actual": ColumnFormat("{:.2f}", "Purchase days per customer, actual"),
    # Two dates
    "compared_then": ColumnFormat(NUMBER_TEXT),
    "compared_now": ColumnFormat(NUMBER_TEXT),
    "compared_change": ColumnFormat(NUMBER_TEXT),
    "customers_then": ColumnFormat(COUNT, "Customers then"),
    "customers_change": ColumnFormat(COUNT, "Change in customers"),
    "revenue_then": ColumnFormat(MONEY, "Revenue then"),
    "revenue_change": ColumnFormat(MONEY, "Change in revenue"),
    "revenue_new": ColumnFormat(MONEY, "Revenue from new customers"),
    "miss": ColumnFormat(NUMBER_TEXT, "Forecast error"),
    "held": ColumnFormat(NUMBER_TEXT, "Within the range"),
    # Budget
    "contacts": ColumnFormat(COUNT),
    "holdout_customers": ColumnFormat(COUNT, "Holdout customers"),
    "eligible": ColumnFormat(COUNT),
    "reachable": ColumnFormat(COUNT, "Can be contacted"),
    "messages": ColumnFormat("{:.3g}", "Messages each"),
    "response": ColumnFormat("×{:.2f}", "Response, of one message"),
    "added_buyers": ColumnFormat("{:,.1f}"),
    "wave": ColumnFormat(COUNT),
    "waves": ColumnFormat(COUNT),
    "contacts_spend": ColumnFormat(SUM, "On campaigns"),
    "acquisition_spend": ColumnFormat(SUM, "On new customers"),
    "contacts_profit": ColumnFormat(SUM, "Profit from campaigns"),
    "acquisition_profit": ColumnFormat(SUM, "Profit from new customers"),
    "gain": ColumnFormat(SUM, "Earns more"),
    "break_point_cost": ColumnFormat(CENTS, "Preparation above which it would not run"),
    "value_of_knowing": ColumnFormat(CENTS, "Worth knowing"),
    "cost": ColumnFormat(CENTS, "A test costs"),
    "holdout_share": ColumnFormat(SHARE, "Held out"),
    "value_per_customer": ColumnFormat(CENTS, "Brings in 12 months"),
    "customers_won": ColumnFormat("{:,.0f}", "New customers"),
    "releases": ColumnFormat(SUM),
    "incentives": ColumnFormat(SUM),
    "size_error": ColumnFormat("{:,.1f}", "Error, customers a segment"),
    "error_no_change": ColumnFormat("{:,.1f}", "Error of no change, customers"),
    "cost_per_customer": ColumnFormat(CENTS, "Cost of one more customer today"),
    "spend": ColumnFormat(SUM),
    "budget": ColumnFormat(SUM),
    "unspent": ColumnFormat(SUM),
    "expected_profit": ColumnFormat(SUM),
    "profit_low": ColumnFormat(SUM, "Profit, low"),
    "profit_high": ColumnFormat(SUM, "Profit, high"),
    "roi": ColumnFormat(SHARE, "Profit ÷ spend"),
    "lift": ColumnFormat(POINTS, "Lift, points"),
    "lift_planned": ColumnFormat(NUMBER_TEXT, "Lift, points"),
    "lift_low": ColumnFormat(POINTS, "Lift, low"),
    "lift_high": ColumnFormat(POINTS, "Lift, high"),
    "break_even_lift": ColumnFormat(POINTS, "Break-even lift, points"),
    "break_point_lift": ColumnFormat(POINTS, "Break-point lift, points"),
    "minimum_detectable_lift": ColumnFormat(POINTS, "Smallest detectable lift, points"),
    "max_cost_per_contact": ColumnFormat(CENTS, "Maximum cost per message"),
    "contact_cost": ColumnFormat(CENTS, "Cost per message"),
    "fixed_cost": ColumnFormat(CENTS, "Preparation of a wave"),
    "incentive": ColumnFormat(CENTS),
    "incentive_share": ColumnFormat(SHARE, "Incentive, share of the order"),
    "redemption_rate": ColumnFormat(SHARE),
    "delivery_rate": ColumnFormat(SHARE),
    "pull_forward_share": ColumnFormat(SHARE),
    "follow_on_margin": ColumnFormat(SHARE),
    "window_days": ColumnFormat(COUNT, "Window, days"),
    "capacity": ColumnFormat(COUNT, "Most messages in a wave"),
    "min_spend": ColumnFormat(CENTS, "Minimum spend"),
    "max_spend": ColumnFormat(CENTS, "Maximum spend"),
    "baseline_probability": ColumnFormat(SHARE, "Would buy anyway"),
    "margin": ColumnFormat(CENTS, "Margin per extra order"),
    "discount": ColumnFormat(CENTS, "Discount per redeemed order"),
    "discount_to_baseline_buyers": ColumnFormat(CENTS, "Discount per order that comes anyway"),
    "incremental_margin": ColumnFormat(SUM, "Margin from extra orders"),
    "incentives_added": ColumnFormat(SUM, "Incentives for extra orders"),
    "incentives_to_baseline_buyers": ColumnFormat(SUM, "Incentives to customers who would buy anyway"),
    "contact_costs": ColumnFormat(SUM),
    "fixed_costs": ColumnFormat(SUM),
    "cost_of_contacting_all": ColumnFormat(SUM, "Profit if everybody is contacted"),
    # Past campaigns
    "predicted": ColumnFormat(SHARE, "Model"),
    "calibrated": ColumnFormat(SHARE),
    "actual": ColumnFormat(SHARE),
    "error": ColumnFormat(POINTS, "Error, points"),
    "treated": ColumnFormat(COUNT, "Contacted"),
    "control": ColumnFormat(COUNT, "Held out"),
    "sent_treated": ColumnFormat(SHARE, "Of those to contact, sent"),
    "sent_control": ColumnFormat(SHARE, "Of those held back, sent by mistake"),
    "bounced": ColumnFormat(SHARE, "Of those sent, bounced"),
    "unsubscribed": ColumnFormat(SHARE, "Of those sent, unsubscribed"),
    "bought_treated": ColumnFormat(SHARE, "Contacted customers who bought"),
    "bought_control": ColumnFormat(SHARE, "Holdout customers who bought"),
    "incremental_profit": ColumnFormat(MONEY, "Earned"),
    "incremental_profit_low": ColumnFormat(MONEY, "Earned, low"),
    "incremental_profit_high": ColumnFormat(MONEY, "Earned, high"),
    "forecast_profit": ColumnFormat(MONEY, "Promised"),
}
LONG_TEXT_COLUMNS = ("meaning", "limits", "advice", "action", "reason", "finding")


def column_heading(column: str) -> str:
    """Return the heading of a column in tables and spreadsheets."""
    known = COLUMN_FORMATS.get(column)
    heading = known.heading if known else None
    return heading or column.replace("_", " ").capitalize()


def column_kind(column: str) -> str | None:
    """Return the kind of number a column holds: a kind, a format string, or None for a column not listed here."""
    known = COLUMN_FORMATS.get(column)
    return known.kind if known else None
