// Replaced by the first file of AdminAPI.
