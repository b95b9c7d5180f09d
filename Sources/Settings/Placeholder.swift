// Replaced by the first file of Settings.
