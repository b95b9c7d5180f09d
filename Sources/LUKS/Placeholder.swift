// Replaced by the first file of LUKS.
