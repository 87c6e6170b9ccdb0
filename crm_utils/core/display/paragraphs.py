"""Paragraphs: sentences that say what a table shows. Every number in them comes from the table."""

from html import escape


class Paragraph(str):
    """A string that Jupyter and the pages show as a paragraph. Its text is escaped."""

    def _repr_html_(self) -> str:
        return f'<p class="so-what">{escape(self)}</p>'


class NotApplicable(str):
    """The reason why a section has nothing to show. Jupyter shows the reason; a page leaves the section out."""

    def _repr_html_(self) -> str:
        return f'<p class="nothing">{escape(self)}</p>'


def paragraph(*sentences: str) -> Paragraph:
    """Join sentences into one paragraph.

    Parameters
    ----------
    *sentences : str
        Whole sentences, each with its full stop. Empty ones are left out.
    """
    return Paragraph(" ".join(sentence for sentence in sentences if sentence))


def brief_html(brief: Paragraph) -> str:
    """The HTML of a line for the first page. It is hidden where it is written."""
    return f'<p class="brief" hidden>{escape(brief)}</p>'


def not_applicable(reason: str) -> NotApplicable:
    """Return what a section shows if it has nothing to show.

    Parameters
    ----------
    reason : str
        Why there is nothing, as a sentence.
    """
    return NotApplicable(reason)
