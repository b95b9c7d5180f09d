// Replaced by the first file of BrokerCore.
