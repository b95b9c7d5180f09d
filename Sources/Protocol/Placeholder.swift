// Replaced by the first file of Protocol.
