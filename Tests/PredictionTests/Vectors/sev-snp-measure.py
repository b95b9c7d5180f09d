#!/usr/bin/python3
"""Fills in the launch digests of snp-launches.tsv by sev-snp-measure (PyPI).

Usage: sev-snp-measure.py FOLDER < snp-launches.tsv

FOLDER has the firmware images and the files that the lines name; `launchesEqualTheTool` in SNPTests.swift
writes it and keeps it where BOOTGATE_KEEP_LAUNCHES says. Exit 3: the module is not installed.
"""

import pathlib
import sys

try:
    from sevsnpmeasure import guest, vcpu_types, vmm_types
    from sevsnpmeasure.sev_mode import SevMode
except ImportError:
    sys.exit(3)

VMM = {"qemu": vmm_types.VMMType.QEMU, "ec2": vmm_types.VMMType.ec2, "gce": vmm_types.VMMType.gce}


def path(folder, name):
    return "" if name == "-" else str(folder / name)


def main():
    folder = pathlib.Path(sys.argv[1])
    for line in sys.stdin.read().splitlines():
        firmware, vmm, processor, count, features, kernel, initrd, append, shortcut, _ = line.split("\t")
        image = str(folder / firmware)
        digest = guest.calc_snp_ovmf_hash(image).hex() if shortcut == "by-digest" else ""
        value = guest.snp_calc_launch_digest(
            int(count), vcpu_types.CPU_SIGS.get(processor, 0), image, path(folder, kernel),
            path(folder, initrd), "" if append == "-" else append, int(features, 0), digest, VMM[vmm])
        print("\t".join(line.split("\t")[:-1] + [value.hex()]))


if __name__ == "__main__":
    main()
