// Replaced by the first file of NetIO.
