"""Plan the jobs of a run, execute their notebooks, and publish the results atomically."""
