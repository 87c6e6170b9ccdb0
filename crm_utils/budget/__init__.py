"""Where a marketing budget earns most, how sure that is, who gets which campaign, and what the last plan earned."""
