// Replaced by the first file of Curl.
