// Replaced by the first file of Policy.
