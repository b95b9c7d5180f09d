"""The lab: whole launches on one machine, with faults made from outside the product."""
