// Replaced by the first file of Endorsements.
