"""The glossary. *How to read this* lists the terms, and every page links the first use of each."""

import re
from dataclasses import dataclass

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from crm_utils.site import pages

GLOSSARY_PAGE = "how-to-read.html"
RUNNING_TEXT = ["p", "li", "figcaption"]
NOT_INSIDE = ["a", "code", "pre", "math", "summary", "label", "figure", "h1", "h2", "h3"]


@dataclass(frozen=True)
class Term:
    """A term, the pattern that finds it in a text, and its meaning. A term without a pattern is not linked."""

    name: str
    pattern: str
    meaning: str

    @property
    def id(self) -> str:
        """The anchor of its entry."""
        return re.sub(r"[^a-z]+", "-", self.name.lower()).strip("-")


# The terms of a date's first page, explained before all others
FIRST_TERMS = (
    "Analysis date",
    "Assumed, measured",
    "Campaign",
    "Control group, holdout",
    "Expected",
    "Gone quiet",
    "Interval, range",
    "Lift",
    "Margin",
    "Profit of a plan",
    "Recency",
    "Frequency",
    "Monetary value",
    "Segment",
    "Top tenth",
)
TERMS = [
    Term(
        "Added orders",
        "",
        "Orders that customers place because of a campaign and would not have placed without it.",
    ),
    Term(
        "Analysis date",
        "analysis dates?",
        "The last day that counts. A page shows what was known at the end of that day, even if it is rebuilt later.",
    ),
    Term(
        "Assumed ranges",
        "(?:given|within) the assumed ranges",
        "Each lift has a low and a high value that was assumed or measured. The range of a plan's profit follows from "
        "them, from what new customers bring, from the forecast of later waves, and from chance.",
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
        "The usual model of purchases. Each customer buys at their own rate and may stop for good after any purchase. "
        "MBG/NBD and Pareto/NBD make other assumptions about when customers stop.",
    ),
    Term(
        "Break point",
        "break points?|flip points?",
        "The lift at which a campaign would enter or leave the plan if nothing else changed. If it lies within the "
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
        "What customers buy without the campaigns of this plan. Only what a plan adds to that counts.",
    ),
    Term(
        "Buy till you die (BTYD)",
        "BTYD",
        "Forecasting models for shops in which customers stop buying without saying so. See “What are the "
        "forecasts made of?”.",
    ),
    Term(
        "Campaign",
        "",
        "A message to a group of customers. It has a cost, sometimes an offer, and a number of days within which it "
        "should work.",
    ),
    Term(
        "Cell",
        "",
        "The three scores of a customer side by side. Customers in cell 514 bought very recently (5), rarely (1) and "
        "for a lot of money (4).",
    ),
    Term(
        "Churn",
        "churn",
        "The share of customers who stop buying in a period. Customers rarely say that they stop, so churn is "
        "estimated from the time since their last order.",
    ),
    Term(
        "Cohort",
        "cohorts?",
        "Customers who bought for the first time in the same period. A page follows them from then on.",
    ),
    Term(
        "Control group, holdout",
        "control groups?|holdouts?|held back|held out|left out of everything",
        "Customers chosen at random who do not get the message. Only a comparison with them shows what a campaign "
        "changed.",
    ),
    Term(
        "Customer lifetime value (CLV)",
        "customer lifetime value|CLV",
        "The profit expected from a customer in the coming months: revenue times margin. Later profit counts a little "
        "less (see discount rate). A page always states the months, the margin and the discount rate.",
    ),
    Term(
        "Customers and orders",
        "",
        "A customer is a customer id with at least one order that counts. All orders of a customer on the same day are "
        "one purchase day.",
    ),
    Term(
        "Discount rate",
        "discount rate|discounted",
        "By how much money is worth less if it comes a year later.",
    ),
    Term(
        "Expected",
        "are expected|is expected|expected profit",
        "The average of what could happen, weighted by how likely it is. A single customer can differ a lot from it; a "
        "large group differs little.",
    ),
    Term(
        "Frequency",
        "frequency",
        "How many orders a customer placed.",
    ),
    Term(
        "Gamma-Gamma",
        "Gamma-Gamma",
        "The model of what a purchase is worth. Each customer has their own average. The fewer purchases a customer "
        "made, the closer the estimate is to the average of all customers.",
    ),
    Term(
        "Gate",
        "gates?",
        "A rule written before the start that says what must be seen before money of later waves is released.",
    ),
    Term(
        "Gone quiet",
        "gone quiet",
        "The chance to buy within 12 months is below 50%. It is the mean of the model’s chance and of the share of "
        "customers with as many purchases and as long a silence who came back.",
    ),
    Term(
        "Incentive, redemption rate",
        "incentives?",
        "An incentive is what an offer, such as a discount or a gift, costs when a customer uses it. The redemption "
        "rate is the share of contacted customers who use it, including those who would have bought anyway.",
    ),
    Term(
        "Interval, range",
        "nine times in ten|90 ?% (?:intervals?|range)",
        "The range that should contain the actual figure in nine of ten cases. The less we know, the wider it is.",
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
        "By how many percentage points a contact raises the chance that a customer buys within the campaign’s days. "
        "From 5% to 7% is a lift of 2 points.",
    ),
    Term(
        "Line of the plan",
        "",
        "One campaign for one segment.",
    ),
    Term(
        "Margin",
        "margin",
        "Revenue less the cost of the goods, before marketing costs. As a percentage it is a share of revenue.",
    ),
    Term(
        "Monetary value",
        "monetary value",
        "How much a customer spent: the revenue from all orders that count, unless the page says otherwise.",
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
        "A value with a certain share of customers below it. Five score classes need the quantiles at 20, 40, 60 and "
        "80%. For very large data they can be approximate: one pass finds them, off by a fraction of a percent.",
    ),
    Term(
        "Recency",
        "recency",
        "Days from a customer’s last order to the analysis date. The fewer days, the higher the score.",
    ),
    Term(
        "RFM",
        "RFM",
        "Recency, frequency and monetary value: the three facts about a customer that say most about the next order.",
    ),
    Term(
        "Score",
        "",
        "A customer’s class in recency, frequency or monetary value. It goes from 1 to 5 (best), unless the report "
        "sets another number of classes.",
    ),
    Term(
        "Score class limits",
        "limits of the scores|limits of each score|score limits",
        "The values at which one score ends and the next begins. They move when other customers change. A segment can "
        "therefore grow although nobody in it changed.",
    ),
    Term(
        "Season",
        "season",
        "The usual change of revenue at this time of year. It compares the same weeks of all past years with the rest "
        "of these years, if the history is long enough.",
    ),
    Term(
        "Segment",
        "segments?",
        "A named group of cells. Every customer is in exactly one segment.",
    ),
    Term(
        "Simple rule",
        "simple rules?",
        "A forecast without a model, such as “the same as in the last period”. A model is useful only if its forecasts "
        "are better.",
    ),
    Term(
        "Status (new, active, cooling, silent, gone)",
        "status(?:es)?",
        "A label by simple rules about days. Unlike a score, it does not depend on other customers.",
    ),
    Term(
        "Still active",
        "still active",
        "The chance that a customer has not stopped buying. It depends on how often they used to buy and on the time "
        "since their last order. For customers who bought only once we cannot tell.",
    ),
    Term(
        "Test of a forecast",
        "tests? of [0-9]+ days|Tested once",
        "A forecast for a past date. It uses only what was known on that date and is compared with what happened.",
    ),
    Term(
        "Top tenth",
        "top tenth|best tenth|top 10%",
        "The 10% of customers who rank highest, for example by revenue so far.",
    ),
]


def how_to_read_page() -> str:
    """Render the page that says how to read a report, with all terms."""
    first = [term for name in FIRST_TERMS for term in TERMS if term.name == name]
    other = [term for term in TERMS if term not in first]
    return pages.render_page("how-to-read.html.j2", first_terms=first, other_terms=other)


def link_first_use(body: Tag, root: str) -> None:
    """Link the first use of each term in the running text of `body` to its entry.

    `root` is the relative path to the glossary's folder.
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
    """Link the terms of `waiting` that `text` uses, and remove them from `waiting`."""
    pieces: list[str | Tag] = []
    done = 0
    while matches := [
        (match.start(), -match.end(), term)
        for term, pattern in waiting.items()
        if (match := pattern.search(text, done))
    ]:
        # the earliest match, and the longest one if several start there
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
