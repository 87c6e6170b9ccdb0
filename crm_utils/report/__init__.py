"""From parameters to published pages: plan, run stale notebooks, render, index, publish."""
