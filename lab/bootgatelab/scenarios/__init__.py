"""One module for each part of the promise; importing them registers their stories."""
from . import (  # noqa: F401
    configuration, disk, endorsements, evidence, genuine, identity, memory, network, old_kernel,
    silence, tdx, vtpm)
