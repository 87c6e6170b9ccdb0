"""A customer report from transactions: RFM, segments, customer value and a marketing budget."""

__version__ = "0.2.0"
