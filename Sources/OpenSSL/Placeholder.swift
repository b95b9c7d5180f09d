// Replaced by the first file of OpenSSL.
