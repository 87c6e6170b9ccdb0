"""The terms of the pages and what they mean: listed on *How to read this*, and linked where a page first uses them."""

import re
from dataclasses import dataclass

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

GLOSSARY_PAGE = "how-to-read.html"
RUNNING_TEXT = ["p", "li", "figcaption"]
NOT_INSIDE = ["a", "code", "pre", "summary", "label", "figure", "h1", "h2", "h3"]


@dataclass(frozen=True)
class Term:
    """A term, the pattern that finds it in a text (empty: it is not linked), and what it means on these pages."""

    name: str
    pattern: str
    meaning: str

    @property
    def id(self) -> str:
        """The anchor of its entry."""
        return re.sub(r"[^a-z]+", "-", self.name.lower()).strip("-")


TERMS = [
    Term(
        "Added orders",
        "",
        "Orders that come because of a campaign and would not have come without it.",
    ),
    Term(
        "Analysis date",
        "analysis dates?",
        "The last day whose orders count. A page shows what was known at the end of that day, even if it is built "
        "again later.",
    ),
    Term(
        "Assumed ranges",
        "(?:given|within) the assumed ranges",
        "For each lift, the range from low to high that the campaigns file assumes or that a test measured. The "
        "low figure takes every lift at its low end, the high figure every lift at its high end.",
    ),
    Term(
        "Assumed, measured",
        "assumed lifts?|measured lifts?",
        "A measured figure comes from a past campaign with a random control group. An assumed figure was entered "
        "by hand and should be replaced by a measured one.",
    ),
    Term(
        "BG/NBD",
        "BG/NBD",
        "The model of purchases, unless a page names another. Each customer buys at their own rate and may stop "
        "for good after any purchase. MBG/NBD and Pareto/NBD make other assumptions about when customers stop.",
    ),
    Term(
        "Break point",
        "break points?|flip points?",
        "The lift at which a line would enter or leave the plan if nothing else changed. If it lies within the "
        "assumed range, measure that lift first.",
    ),
    Term(
        "Break-even lift",
        "break-even lifts?",
        "The lift at which a campaign earns exactly what it costs.",
    ),
    Term(
        "Business as usual",
        "business as usual|without any campaign|bought anyway|buy anyway|have bought anyway",
        "What customers buy without the campaigns of this plan. A plan is judged by what it adds to that.",
    ),
    Term(
        "Buy till you die (BTYD)",
        "BTYD",
        "A family of models for customers who start to buy and stop without saying so. See “What are the "
        "forecasts made of?”.",
    ),
    Term(
        "Campaign",
        "",
        "A message to a group of customers: its cost, its offer if it has one, and the days within which it "
        "should work.",
    ),
    Term(
        "Cell",
        "",
        "The three scores of a customer side by side. Cell 514 bought very recently (5), once or rarely (1), and "
        "spent much (4).",
    ),
    Term(
        "Churn",
        "churn",
        "The share of customers who stop buying in a period. Customers rarely say that they stop, so churn is "
        "estimated from how long they have not bought.",
    ),
    Term(
        "Cohort",
        "cohorts?",
        "Customers who first bought in the same period, followed from then on.",
    ),
    Term(
        "Control group, holdout",
        "control groups?|holdouts?|held back",
        "Customers chosen at random who get no message although they could. Only the comparison with them shows "
        "what a campaign changed.",
    ),
    Term(
        "Customer lifetime value (CLV)",
        "customer lifetime value|CLV",
        "The profit expected from a customer in the coming months: revenue times margin, with later money "
        "discounted. It always states its months, margin and discount rate.",
    ),
    Term(
        "Customers and orders",
        "",
        "A customer is a customer id with at least one order that counts. Orders on the same day are one purchase day.",
    ),
    Term(
        "Discount rate",
        "discount rate|discounted",
        "How much less money is worth if it comes a year later.",
    ),
    Term(
        "Expected",
        "are expected|is expected|expected profit",
        "The average of what could happen, weighted by how likely it is. Single customers will differ a lot from "
        "it, large groups little.",
    ),
    Term(
        "Frequency",
        "frequency",
        "How many orders a customer placed.",
    ),
    Term(
        "Gamma-Gamma",
        "Gamma-Gamma",
        "The model of what a purchase is worth. Each customer has their own average. The fewer purchases there "
        "are, the closer the estimate is to the average of all customers.",
    ),
    Term(
        "Incentive, redemption rate",
        "incentives?",
        "An incentive is what an offer costs when it is used, such as a discount or a gift. Redemption is the "
        "share of contacted customers who use it, including those who would have bought anyway.",
    ),
    Term(
        "Interval, range",
        "nine times in ten|90 ?% (?:intervals?|range)",
        "The range that should contain the actual figure in nine of ten cases. The less is known, the wider it is.",
    ),
    Term(
        "Lead",
        "leads?",
        "Somebody on the customer list without an order that counts: they have not ordered yet, or cancelled "
        "everything.",
    ),
    Term(
        "Lift",
        "lifts?",
        "By how much a contact raises the chance to buy within the campaign’s days, in percentage points. From 5% "
        "to 7% is a lift of 2 points.",
    ),
    Term(
        "Line of the plan",
        "",
        "One campaign for one segment.",
    ),
    Term(
        "Margin",
        "margin",
        "What is left of revenue after the cost of the goods, before marketing.",
    ),
    Term(
        "Monetary value",
        "monetary value",
        "How much a customer spent: the revenue of all orders that count, unless the page says otherwise.",
    ),
    Term(
        "Most a contact may cost",
        "",
        "The cost per contact at which a line would earn nothing.",
    ),
    Term(
        "Percentage points",
        "points",
        "The difference between two percentages. From 5% to 7% is 2 points.",
    ),
    Term(
        "Profit of a plan",
        "",
        "The margin of the added orders, minus the cost of contacts, fixed costs and discounts. Discounts to "
        "customers who would have bought anyway are included.",
    ),
    Term(
        "Quantile",
        "quantiles?",
        "A limit that a given share of customers is below. With five classes the limits are at 20, 40, 60 and 80%.",
    ),
    Term(
        "Recency",
        "recency",
        "Days from a customer’s last order to the analysis date. Few days are good, so the score counts the other "
        "way round.",
    ),
    Term(
        "RFM",
        "RFM",
        "Recency, frequency and monetary value: the three facts about a customer that say most about the next order.",
    ),
    Term(
        "Score",
        "",
        "The class of a customer in one measure, from 1 to 5 unless the report sets another number. 5 is best.",
    ),
    Term(
        "Score class limits",
        "limits of the score classes|score boundaries",
        "Where one score ends and the next begins. The limits move when other customers change, so a segment can "
        "grow although nobody in it changed.",
    ),
    Term(
        "Season",
        "season",
        "What the same weeks brought last year, compared with the weeks before them. It is used if the history is "
        "long enough.",
    ),
    Term(
        "Segment",
        "segments?",
        "A named group of cells. Every customer is in exactly one segment.",
    ),
    Term(
        "Simple rule",
        "simple rules?",
        "A forecast without a model, such as “the same as in the last period”. A model is only useful if it does "
        "better.",
    ),
    Term(
        "Status (new, loyal, occasional, at risk, churned)",
        "status(?:es)?",
        "Where a customer stands by simple rules on days and orders. Unlike a score it does not depend on other "
        "customers.",
    ),
    Term(
        "Still active",
        "still active|probably gone|probably stopped buying",
        "The chance that a customer has not stopped buying, judged by how often they used to buy. For customers "
        "who bought only once we cannot tell.",
    ),
    Term(
        "Test of a forecast",
        "tests? of [0-9]+ days|Tested once",
        "A forecast for a past date, made only from what was known on that date and compared with what happened.",
    ),
    Term(
        "Top tenth",
        "top tenth|best tenth|top 10%",
        "The 10% of customers who rank highest by the measure named.",
    ),
]


def link_first_use(body: Tag, root: str) -> None:
    """Link the first use of each term in the running text of `body` to its entry.

    `root` leads to the glossary's folder.
    """
    waiting = {
        term: re.compile(rf"(?<![\w-])(?:{term.pattern})(?![\w-])", re.IGNORECASE) for term in TERMS if term.pattern
    }
    for text in [text for element in body.find_all(RUNNING_TEXT) for text in element.find_all(string=True)]:
        if text.find_parent(NOT_INSIDE) is None and text.find_parent(class_=["code", "celltag_analyst"]) is None:
            _link_in(text, waiting, root)


def link_terms(page: str, root: str) -> str:
    """A whole page with the first use of each term linked."""
    soup = BeautifulSoup(page, "html.parser")
    if soup.main is not None:
        link_first_use(soup.main, root)
    return str(soup)


def _link_in(text: NavigableString, waiting: dict[Term, re.Pattern[str]], root: str) -> None:
    """Link the terms that `text` is the first to use, and remove them from `waiting`."""
    pieces: list[str | Tag] = []
    done = 0
    while matches := [
        (match.start(), -match.end(), term)
        for term, pattern in waiting.items()
        if (match := pattern.search(text, done))
    ]:
        # the first match, and of those that start there the longest
        start, negative_end, term = min(matches, key=lambda match: match[:2])
        end = -negative_end
        pieces += [text[done:start], _anchor(text[start:end], f"{root}{GLOSSARY_PAGE}#{term.id}")]
        done = end
        del waiting[term]
    if pieces:
        text.replace_with(*pieces, text[done:])


def _anchor(word: str, address: str) -> Tag:
    anchor = BeautifulSoup("", "html.parser").new_tag("a", attrs={"class": "term", "href": address})
    anchor.string = word
    return anchor
