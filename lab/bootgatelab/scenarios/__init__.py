"""One module for each part of the promise; importing them registers their stories."""
from . import (  # noqa: F401
    configuration, disk, endorsements, evidence, genuine, identity, memory, network, old_kernel,
    runtime_changes, runtime_ima, runtime_reboot, runtime_reports, runtime_update, runtime_verify, silence,
    tdx, vtpm)
