"""From what has to be built to notebooks that ran: jobs, cache keys, kernels and the atomic swap."""
