"""A customer report from transactions: RFM, segments, customer value and a marketing budget."""
