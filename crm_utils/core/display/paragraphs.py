"""Sentences that say what a table found. Every number in them comes from the table. One module a notebook."""

from html import escape


class Sentence(str):
    """A string that Jupyter and the pages show as a paragraph, its text escaped."""

    def _repr_html_(self) -> str:
        return f'<p class="so-what">{escape(self)}</p>'


class Nothing(str):
    """Why a section has nothing to show: Jupyter shows the reason, a page leaves the whole section out."""

    def _repr_html_(self) -> str:
        return f'<p class="nothing">{escape(self)}</p>'


def nothing(reason: str) -> Nothing:
    """What a section shows where it does not apply."""
    return Nothing(reason)


def say(*sentences: str) -> Sentence:
    """The sentences as one paragraph; empty ones are left out."""
    return Sentence(" ".join(sentence for sentence in sentences if sentence))
