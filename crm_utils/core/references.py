"""The two texts that this report started from. Pages and docstrings name them through these constants."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A text that the report takes a method or a recommendation from.

    Parameters
    ----------
    title : str
        Its title.
    description : str
        What it is, and where its author or address is known, that too.
    link : str
        An address at which what it rests on can be read.
    """

    title: str
    description: str
    link: str

    @property
    def citation(self) -> str:
        """The reference as a sentence cites it."""
        return f"“{self.title}”, {self.description} ({self.link})"


# Neither text names its author or its address, so the links lead to what each of them rests on.
CLTV_TUTORIAL = Reference(
    "Customer Relationship Management",
    "a tutorial in four steps (data preparation, RFM, CLTV, CLTV prediction) on the data set Online Retail II, "
    "author not named",
    "https://archive.ics.uci.edu/dataset/502/online+retail+ii",
)
CRM_NOTES = Reference(
    "Customer Relationship Management (CRM)",
    "notes on RFM analysis, segments and a marketing budget of 50,000, author not named, "
    "which recommend further reading",
    "https://clevertap.com/blog/rfm-analysis/",
)
