"""The words of the pages and what they mean: listed on *How to read this*, and linked from where a page first uses them."""

import re
from dataclasses import dataclass

from bs4 import BeautifulSoup, NavigableString, Tag

GLOSSARY_PAGE = "how-to-read.html"
READ = ["p", "li", "figcaption"]  # running text: headings, tables and code are left alone
NOT_IN = ["a", "code", "pre", "summary", "label", "figure", "h1", "h2", "h3"]


@dataclass(frozen=True)
class Term:
    """A word, the pattern that finds it in a text (none: it is not linked), and what it means here."""

    name: str
    found_as: str
    meaning: str

    @property
    def id(self) -> str:
        return re.sub(r"[^a-z]+", "-", self.name.lower()).strip("-")


TERMS = [
    Term("Added orders", "", "Orders that come because of a campaign, and would not have come without it."),
    Term("Analysis date", "analysis dates?", "The last day whose orders count. Everything on a page is as it was known at the end of that day, also where it is built again later."),
    Term("Assumed ranges", "(?:given|within) the assumed ranges", "If every lift lies between the low and the high end that the campaigns file assumes for it, or that was measured. The low figure takes all lifts at their low ends, the high figure all at their high ends."),
    Term("Assumed, measured", "assumed lifts?|measured lifts?", "A measured figure comes from a past campaign with a random control group. An assumed one was put in by hand and waits to be replaced."),
    Term("BG/NBD", "BG/NBD", "The model of purchases used here unless a page says otherwise: each customer buys at a rate of their own, and after any purchase may stop for good. MBG/NBD and Pareto/NBD are relatives with other ideas of when customers stop."),
    Term("Break-even lift", "break-even lifts?", "The lift at which a campaign earns exactly what it costs."),
    Term("Business as usual", "business as usual|without any campaign|bought anyway|buy anyway", "What customers buy without the campaigns of this plan. A plan is judged by what it adds to it."),
    Term("Buy till you die (BTYD)", "BTYD", "A family of models for customers who come and go without telling. See “What are the forecasts made of?”."),
    Term("Campaign", "", "A message to a group of customers, with its cost, its offer if it has one, and the days within which it should work."),
    Term("Cell", "", "The three scores of a customer side by side. 514: bought very recently (5), once or rarely (1), for much money (4)."),
    Term("Churn", "churn", "The share of customers who stop buying in a period. Customers seldom say that they stop, so it is estimated from silence."),
    Term("Cohort", "cohorts?", "Customers who first bought in the same period, followed from then on."),
    Term("Control group, held back", "control groups?|held back", "Customers chosen by chance who get no message although they could. Only the comparison with them shows what a campaign changed."),
    Term("Customer lifetime value (CLV)", "customer lifetime value|CLV", "The profit expected from a customer in the coming months: revenue times margin, later money counted a little less. It always names its months, margin and discount."),
    Term("Customers and orders", "", "A customer is one customer id with at least one order that counts. Orders of one day are one purchase day."),
    Term("Discount rate", "discount rate|discounted", "How much less a year’s delay makes money worth."),
    Term("Expected", "are expected|is expected|expected profit", "The average of what could happen, weighted by how likely it is. Single customers will differ much; large groups little."),
    Term("Flip point", "flip points?", "The lift at which a line would enter or leave the plan, all else equal. If it lies within its assumed range, that lift is what to measure first."),
    Term("Frequency", "frequency", "How many orders a customer placed."),
    Term("Gamma-Gamma", "Gamma-Gamma", "The model of what a purchase is worth: each customer has an average of their own, and few purchases pull an estimate towards the average of all."),
    Term("Incentive, redemption", "incentives?", "What an offer costs when it is used (a discount, a gift), and the share of contacted customers who use it, those who would have bought anyway included."),
    Term("Interval, range", "nine times in ten|90 ?% (?:intervals?|range)", "The span that should hold what comes in nine of ten cases. A wide one is an honest one."),
    Term("Lead", "leads?", "Somebody on the customer list without an order that counts: who has not ordered yet, or cancelled it all."),
    Term("Lift", "lifts?", "By how much a contact raises the chance to buy within the campaign’s days, in percentage points: from 5% to 7% is a lift of 2 points."),
    Term("Line of the plan", "", "One campaign for one segment."),
    Term("Margin", "margin", "What is left of revenue after the cost of the goods, before marketing."),
    Term("Monetary value", "monetary value", "How much a customer spent: the revenue of all orders that count, unless the page says otherwise."),
    Term("Most a contact may cost", "", "The cost per contact at which a line would earn nothing."),
    Term("Percentage points", "points", "The difference of two shares: from 5% to 7% is 2 points."),
    Term("Profit of a plan", "", "The margin of added orders, less contacts, less fixed costs, less discounts, those for customers who would have bought anyway included."),
    Term("Quantile", "quantiles?", "A limit that a given share of customers lies below. With five classes the limits are at 20, 40, 60 and 80%."),
    Term("Recency", "recency", "Days from a customer’s last order to the analysis date. Few days are good: the score counts the other way round."),
    Term("RFM", "RFM", "Recency, frequency and monetary value: the three facts about a customer that say most about the next order."),
    Term("Score", "", "The class of a customer in one measure, from 1 to 5 (or as many as the report is set to). 5 is best."),
    Term("Score class limits", "limits of the score classes", "Where one score ends and the next begins. They move when other customers change, so a segment can grow while nobody’s behaviour changed."),
    Term("Season", "season", "What the same weeks brought last year, compared with the weeks before them. It is used where the history is long enough."),
    Term("Segment", "segments?", "A named group of cells. Every customer is in exactly one."),
    Term("Simple rule", "simple rules?", "A forecast without a model, such as “the same as the last period”. A model must do better to be worth having."),
    Term("Status (new, loyal, occasional, at risk, churned)", "status(?:es)?", "Where a customer stands by plain rules on days and orders. It does not depend on other customers, as a score does."),
    Term("Still active", "still active|probably gone", "The chance that a customer has not stopped buying, judged by their own rhythm. Of who bought once it is not known."),
    Term("Test of a forecast", "tests? of [0-9]+ days|Tested once", "A forecast made as it would have been made on a past date, from what was known then, and held against what followed."),
    Term("Top tenth", "top tenth|best tenth", "The tenth of customers who rank highest by the measure named."),
]  # fmt: skip


def link_first_use(body: Tag, root: str) -> None:
    """Make the first use of each term in the running text of `body` a link to its meaning; `root` leads to the page."""
    waiting = {
        term: re.compile(rf"(?<![\w-])(?:{term.found_as})(?![\w-])", re.IGNORECASE) for term in TERMS if term.found_as
    }
    for text in [text for place in body.find_all(READ) for text in place.find_all(string=True)]:
        if text.find_parent(NOT_IN) is None and text.find_parent(class_=["code", "celltag_analyst"]) is None:
            _link_in(text, waiting, root)


def linked(page: str, root: str) -> str:
    """A whole page with the first use of each term linked."""
    soup = BeautifulSoup(page, "html.parser")
    link_first_use(soup.main, root)
    return str(soup)


def _link_in(text: NavigableString, waiting: dict[Term, re.Pattern], root: str) -> None:
    """Link the terms that `text` is the first to use, and take them off the list."""
    pieces, done = [], 0
    while hits := [
        (hit.start(), -hit.end(), term) for term, form in waiting.items() if (hit := form.search(text, done))
    ]:
        start, end, term = min(hits, key=lambda hit: hit[:2])
        pieces += [text[done:start], _anchor(text[start:-end], f"{root}{GLOSSARY_PAGE}#{term.id}")]
        done = -end
        del waiting[term]
    if pieces:
        text.replace_with(*pieces, text[done:])


def _anchor(word: str, address: str) -> Tag:
    anchor = BeautifulSoup("", "html.parser").new_tag("a", attrs={"class": "term", "href": address})
    anchor.string = word
    return anchor
