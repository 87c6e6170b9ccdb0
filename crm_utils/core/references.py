"""The two texts that this report is based on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A text that the report takes a method or a recommendation from.

    Parameters
    ----------
    title : str
        Its title.
    description : str
        What kind of text it is, and its author if known.
    link : str
        A web address of the data or method that the text uses.
    """

    title: str
    description: str
    link: str

    @property
    def citation(self) -> str:
        """The reference as a sentence cites it."""
        return f"“{self.title}”, {self.description} ({self.link})"


# Neither text gives an author or an address, so the links lead to the data or the method that each text uses.
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
