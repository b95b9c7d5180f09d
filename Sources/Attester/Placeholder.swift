// Replaced by the first file of Attester.
