// Replaced by the first file of Evidence.
