// Replaced by the first file of Linux.
