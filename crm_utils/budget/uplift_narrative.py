"""Sentences of 05_budget on who is contacted, what can be measured, and what was."""

import pandas as pd

from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, not_applicable, paragraph
from crm_utils.core.formatting import count, join_names, money, percent, plural


def lists(targets: pd.DataFrame, share: float) -> Paragraph:
    """How many lists there are and how many customers are held back."""
    if targets.empty:
        return paragraph("No list is written, since no line is planned.")
    held = int((targets.group == "control").sum())
    number = targets.groupby(["campaign", "segment"]).ngroups
    return paragraph(
        f"{plural(number, 'list')} hold{'s' if number == 1 else ''} {plural(len(targets), 'customer')}, each of them once; {count(held)} ({percent(held / len(targets))}) are held back and must not be contacted."
    )


def measurability(table: pd.DataFrame) -> Paragraph:
    """Which campaigns the control groups will tell about."""
    seen = table[table.minimum_detectable_lift <= table.lift]
    if table.empty:
        return paragraph("Nothing is planned, so nothing can be measured.")
    if len(seen) == len(table):
        return paragraph("Every planned campaign's lift will be seen, if it is there.")
    blind = table[~table.campaign.isin(seen.campaign)].campaign.tolist()
    return paragraph(
        f"The lift of {join_names(blind)} is too small to be seen with so few held back: repeat, pool several months, or hold back more."
    )


def reach(table: pd.DataFrame, contacts: pd.DataFrame | None) -> Paragraph | NotApplicable:
    """How many of those meant may be contacted."""
    if contacts is None:
        return not_applicable("the report names no table of contacts: everybody counts as reachable")
    meant = table[table.customers > 0]
    if meant.empty:
        return paragraph("No campaign has anybody to contact.")
    least = meant.campaign[meant.share == meant.share.min()].tolist()
    return paragraph(
        f"{percent(table.reachable.sum() / table.customers.sum())} of those the campaigns are meant for may be contacted; the fewest for {join_names(least)} ({percent(meant.share.min())})."
    )


def measured(table: pd.DataFrame, currency: str) -> Paragraph | NotApplicable:
    """What the past campaigns with random groups earned, and how many could not be used."""
    if table.empty:
        return not_applicable("the report names no file of past campaigns")
    used = table[table.use == "measured"]
    refused = len(table) - len(used)
    left_out = f"{plural(refused, 'campaign')} without groups that were random and complete {'is' if refused == 1 else 'are'} observational and not used." if refused else ""  # fmt: skip
    if used.empty:
        return paragraph("No past campaign can be measured.", left_out)
    priced = used.dropna(subset=["earned"])
    if priced.empty:
        known = "its costs are" if len(used) == 1 else "their costs are"
        return paragraph(
            f"{plural(len(used), 'past campaign')} can be measured, but {known} not in the campaigns file.", left_out
        )
    if len(priced) == 1:
        row = priced.iloc[0]
        between = f"between {money(row.earned_low, currency)} and {money(row.earned_high, currency)}"
        return paragraph(
            f"{row.campaign}, the one past campaign that was measured and whose costs are known, earned {money(row.earned, currency)} ({between}, as far as chance allows to say); its assumed lift had promised {money(row.promised, currency)}.",
            left_out,
        )
    sums = priced[["earned", "promised"]].sum()
    return paragraph(
        f"{plural(len(priced), 'measured campaign')} whose costs are known ({join_names(priced.campaign.tolist())}) earned {money(sums.earned, currency)}; their assumed lifts had promised {money(sums.promised, currency)}.",
        left_out,
    )


def proven(table: pd.DataFrame, currency: str) -> Paragraph | None:
    """What measured campaigns that are not planned would earn, beside what is planned in their place (see `doubt.proven`)."""
    worth = table[table.alone > 0]
    if worth.empty:
        return None
    return paragraph(
        *(
            f"{row.campaign} is measured but not planned: alone it would earn {money(row.alone, currency)} ({money(row.low, currency)} at the low end of its range)"
            + (
                f", where {join_names(row.instead)} {'is' if len(row.instead) == 1 else 'are'} expected to earn {money(row.instead_earns, currency)}{', which rests on assumed lifts' if row.assumed else ''}."
                if row.instead
                else "."
            )
            for row in worth.itertuples()
        )
    )


def measured_in_words(table: pd.DataFrame, currency: str) -> str:
    """What the figure of past campaigns shows."""
    lines = "; ".join(
        f"{row.campaign} earned {money(row.earned, currency)} ({money(row.earned_low, currency)} to {money(row.earned_high, currency)}), promised {money(row.promised, currency)}"
        for row in table.dropna(subset=["earned"]).itertuples()
    )
    return f"Chart of what past campaigns earned: {lines or 'none'}."


def calibration(held_out: pd.DataFrame, tolerance: float) -> Paragraph:
    """Where the forecast of who buys anyway can be trusted, and where not."""
    if held_out.empty:
        return paragraph(
            "The history is too short to hold a window back: the chances to buy anyway are the model's, unchecked."
        )
    off = held_out.error.abs() > tolerance
    base = f"In the last test the share of customers who buy without being contacted was forecast within {tolerance * 100:.0f} points in"
    if off.mean() > 0.5:
        near = held_out.segment[~off].tolist()
        return paragraph(
            f"{base} {f'only {len(near)}' if near else 'none'} of {len(held_out)} segments{f': {join_names(near)}' if near else ''}."
        )
    held = f"{(~off).sum()} of {plural(len(held_out), 'segment')}"
    return paragraph(
        f"{base} {held}; not in {join_names(held_out.segment[off].tolist())}." if off.any() else f"{base} {held}."
    )
