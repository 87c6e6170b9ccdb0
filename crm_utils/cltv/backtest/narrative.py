"""Sentences of 04_cltv on how past forecasts did."""

import pandas as pd

from crm_utils.cleaning.minimum_data import MIN_DATA
from crm_utils.cltv import btyd
from crm_utils.cltv.backtest.rolling_origin import BacktestModel
from crm_utils.core.display.paragraphs import Paragraph, paragraph
from crm_utils.core.formatting import count, day, join_names, money, percent, plural

CLOSE = 0.02  # differences in accuracy or capture below two points are called even
OURS, UNADJUSTED = BacktestModel.MODEL_WITH_SEASON, BacktestModel.MODEL_NO_SEASON
MODEL_LABELS = {
    BacktestModel.MODEL_WITH_SEASON: "Our forecast",
    BacktestModel.MODEL_NO_SEASON: "Without season",
    BacktestModel.SAME_AS_LAST_PERIOD: "Same as the last period",
    BacktestModel.SAME_PERIOD_LAST_YEAR: "Same period last year",
    BacktestModel.PAST_AVERAGE_RATE: "Past average rate",
}
FREQUENCY_LABELS = {
    "0": "never",
    "1": "once",
    "2": "twice",
    "3-4": "3–4 times",
    "5-9": "5–9 times",
    "10+": "10 times or more",
}
REVENUE_SO_FAR = "Revenue so far"
FEW = 3  # tests below which a verdict is a first impression
NO_TEST = f"No past forecast could be tested. A test needs {MIN_DATA['days']} days of history, {MIN_DATA['customers']} customers and {MIN_DATA['repeat_buyers']} repeat buyers before it begins."


def verdict(backtest: pd.DataFrame) -> Paragraph:
    """Were past forecasts closer to what happened than the best simple rule, in total and in ranking customers?"""
    if backtest.empty:
        return paragraph(NO_TEST)
    tests, beside = backtest.origin.nunique(), _beside_rules(backtest)
    ours = backtest[backtest.model == OURS]
    rule = beside.loc[(beside.miss - beside.our_miss).fillna(0).idxmin()]
    spent = pd.Series(
        {"capture": ours.past_spend_capture.mean(), "our_capture": ours.top_decile_capture.mean()}, name=REVENUE_SO_FAR
    )
    ranks = pd.concat([beside[["capture", "our_capture"]].astype(float).fillna(0), spent.to_frame().T])
    ranking = ranks.loc[(ranks.our_capture - ranks.capture).idxmin()]
    gain, lead = rule.miss - rule.our_miss, ranking.our_capture - ranking.capture
    total = "closer than" if gain > CLOSE else "no closer than" if gain < -CLOSE else "about as close as"
    better = "better than" if lead > CLOSE else "worse than" if lead < -CLOSE else "no better than"
    where = (
        f"In {plural(tests, 'test')} of {plural(backtest.horizon_days.iloc[0], 'day')} each"
        if tests > 1
        else f"Tested once, on the last {plural(backtest.horizon_days.iloc[0], 'day')}"
    )
    return paragraph(
        f"{where}, our revenue forecast was {percent(_miss(ours).abs().mean())} off{' on average' if tests > 1 else ''}, {total} the best simple rule (“{MODEL_LABELS[rule.name].lower()}”: {percent(rule.miss)}{_there(rule, tests)}).",
        f"It ranks customers {better} a simple rule: its top tenth brought {percent(ranking.our_capture)} of the revenue, against {percent(ranking.capture)} for “{MODEL_LABELS.get(ranking.name, ranking.name).lower()}”.",
        _with_season(backtest),
        f"With fewer than {FEW} tests this is a first impression." if tests < FEW else "",
    )


def tracking(backtest: pd.DataFrame) -> Paragraph:
    """How often the ranges held what came, and how far the last forecast was off."""
    if backtest.empty:
        return paragraph(NO_TEST)
    ours = backtest[backtest.model == OURS]
    held = int(((ours.revenue_low <= ours.revenue_actual) & (ours.revenue_actual <= ours.revenue_high)).sum())
    last = ours.iloc[-1]
    return paragraph(
        f"The range given with the forecast held what came in {count(held)} of {plural(len(ours), 'test')}; the last forecast was {_off(last.revenue_predicted / last.revenue_actual - 1) if last.revenue_actual else 'of a time without revenue'}."
    )


def year_before(tried: pd.DataFrame, currency: str) -> Paragraph:
    """What the forecast over 12 months would have said a year before, and what came (see `backtest.year_before`)."""
    if tried.empty:
        return paragraph(
            "A forecast over 12 months could not be tried yet: the history is too short to make one a year before."
        )
    ours = tried[tried.model == OURS].iloc[0]
    said, came = ours.revenue_predicted, ours.revenue_actual
    return paragraph(
        f"A year before, the same forecast for the {plural(ours.customers, 'customer')} of that day would have been {money(said, currency)};",
        f"{money(came, currency)} came{f', so it was {_off(said / came - 1)}' if came > 0 else ''}.",
        f"Customers won since then brought another {money(ours.revenue_new, currency)}."
        if ours.revenue_new > 0
        else "",
    )


def not_yet_won(backtest: pd.DataFrame, currency: str) -> Paragraph:
    """What customers won after an origin added: in no forecast here."""
    if backtest.empty:
        return paragraph(NO_TEST)
    ours = backtest[backtest.model == OURS]
    new, known = ours.revenue_new.sum(), ours.revenue_actual.sum()
    if not new:
        return paragraph("No customer was won during the tests, so nothing came on top of the forecasts.")
    return paragraph(
        f"During the tests customers not yet won at the start added {money(new / len(ours), currency)} a test, {percent(new / (new + known))} of all revenue. No forecast here contains them."
    )


def by_segment(parts: pd.DataFrame, currency: str) -> Paragraph:
    """The segment whose revenue the last tested forecast missed by most."""
    if parts.empty:
        return paragraph(NO_TEST)
    worst = parts.loc[(parts.revenue_predicted - parts.revenue_actual).abs().idxmax()]
    expected, came = (money(worst[column], currency) for column in ("revenue_predicted", "revenue_actual"))
    off = f", {_off(worst.revenue_predicted / worst.revenue_actual - 1)}" if worst.revenue_actual else ""
    return paragraph(f"The largest gap of the last test was in {worst.segment}: {expected} forecast, {came} came{off}.")


def by_frequency(classes: pd.DataFrame) -> Paragraph:
    """The class of customers in which the last tested forecast was furthest from what came."""
    if classes.empty:
        return paragraph(NO_TEST)
    worst = classes.loc[(classes.purchase_days_predicted - classes.purchase_days_actual).abs().idxmax()]
    expected, made = (worst[column] / worst.customers for column in ("purchase_days_predicted", "purchase_days_actual"))
    return paragraph(
        f"By past purchases it was furthest off for customers who had {_again(FREQUENCY_LABELS[worst.repeat_purchases])}: {expected:.2f} purchase days expected of each, {made:.2f} made."
    )


def challenger(misses: pd.DataFrame, winner: str) -> Paragraph:
    """Whether another model should be tried."""
    if misses.empty:
        return paragraph("Other models were not tried: that takes ten monthly tests and at most 50,000 customers.")
    tried = join_names([btyd.MODELS[kind].model.name for kind in misses.columns[1:]])
    if not winner:
        return paragraph(
            f"{tried} {'were' if len(misses.columns) > 2 else 'was'} tried in {plural(len(misses), 'monthly test')}; none was clearly better, so the model stays."
        )
    won = int((misses[winner] < misses.iloc[:, 0]).sum())
    return paragraph(
        f"{btyd.MODELS[winner].model.name} forecast clearly better than the model used here, in {count(won)} of {plural(len(misses), 'monthly test')}. The model is not changed by itself; an analyst can set it."
    )


def tracking_in_words(backtest: pd.DataFrame, currency: str) -> str:
    """What the tracking figure shows."""
    ours = backtest[backtest.model == OURS]
    tests = "; ".join(
        f"from {day(row.origin)} forecast {money(row.revenue_predicted, currency)}, actual {money(row.revenue_actual, currency)}"
        for row in ours.itertuples()
    )
    return f"Chart of past forecasts with their ranges, and what came: {tests}."


def parts_in_words(parts: pd.DataFrame, currency: str) -> str:
    """What the bars by segment show."""
    pairs = "; ".join(
        f"{row.segment} {money(row.revenue_predicted, currency)} and {money(row.revenue_actual, currency)}"
        for row in parts.itertuples()
    )
    return f"Bar chart of revenue in the last test by segment, forecast and actual: {pairs}."


def classes_in_words(classes: pd.DataFrame) -> str:
    """What the bars by class show."""
    pairs = "; ".join(
        f"bought again {FREQUENCY_LABELS[row.repeat_purchases]} {row.purchase_days_predicted / row.customers:.2f} and {row.purchase_days_actual / row.customers:.2f}"
        for row in classes.itertuples()
    )
    return f"Bar chart of purchase days a customer, forecast and actual: {pairs}."


def _beside_rules(backtest: pd.DataFrame) -> pd.DataFrame:
    """Each simple rule beside our forecast in the tests that both took part in: tests, miss, our_miss, capture, our_capture (means).

    A rule that fewer than three tests know is left out where there are more: last year's needs a year before it.
    """
    rows = backtest.assign(miss=_miss(backtest).abs(), capture=backtest.top_decile_capture)
    ours = rows[rows.model == OURS].set_index("origin")[["miss", "capture"]].add_prefix("our_")
    rules = rows[~rows.model.isin([OURS, UNADJUSTED])].join(ours, on="origin")
    table = rules.groupby("model")[["miss", "our_miss", "capture", "our_capture"]].mean()
    table.insert(0, "tests", rules.groupby("model").size())
    return table[table.tests >= min(FEW, backtest.origin.nunique())]


def _there(rule: pd.Series, tests: int) -> str:
    """In how many tests a rule that was not in all of them took part, and how our forecast did there."""
    return (
        ""
        if rule.tests == tests
        else f" in the {plural(rule.tests, 'test')} it can be made for, ours {percent(rule.our_miss)} there"
    )


def _with_season(backtest: pd.DataFrame) -> str:
    """How the tests with a known season did, beside the same without it."""
    ours = backtest[backtest.model == OURS]
    known = ours[ours.seasonal_factor.notna()]
    if known.empty:
        return ""
    plain = backtest[(backtest.model == UNADJUSTED) & backtest.origin.isin(known.origin)]
    where = (
        f"In the {plural(len(known), 'test')} where last year’s season was known"
        if len(known) < len(ours)
        else "With last year’s season"
    )
    held = int(((known.revenue_low <= known.revenue_actual) & (known.revenue_actual <= known.revenue_high)).sum())
    return f"{where} it was {percent(_miss(known).abs().mean())} off (without that season {percent(_miss(plain).abs().mean())}), and its range held what came in {count(held)} of {count(len(known))}."


def _again(times: str) -> str:
    return "never bought again" if times == "never" else f"bought again {times}"


def _miss(backtest: pd.DataFrame) -> pd.Series:
    return backtest.revenue_predicted / backtest.revenue_actual.where(backtest.revenue_actual > 0) - 1


def _off(miss: float) -> str:
    return "on target" if abs(miss) < 0.005 else f"{percent(abs(miss))} too {'high' if miss > 0 else 'low'}"
