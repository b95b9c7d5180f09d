#!/bin/bash
# dracut module: open the root disk through Bootgate, and through nothing else.
#
# Everything that could open, assemble, resume or mount something beside it, or talk to whoever sits
# at the host's console, is kept out or replaced by a power-off.
#
# shellcheck disable=SC2154 # kernel, moddir, initdir and the systemd paths are dracut's

# Where the package puts the agent; the same path is used in the initramfs.
agent=/usr/lib/bootgate/bootgate-initramfs

# Without these no launch can succeed. tsm and its two drivers ask the secure processor.
required_modules=(configfs tsm sev-guest tdx-guest dm_mod dm_crypt aesni_intel xts qemu_fw_cfg)

# Disks, network cards and the file systems a gate.conf may travel on, where the kernel has them.
optional_modules=(
    virtio_pci virtio_blk virtio_scsi virtio_net sd_mod nvme hv_storvsc hv_netvsc gve ena
    ecb cbc ctr essiv sha256_ssse3 vfat nls_cp437 nls_iso8859-1 nls_ascii
)

# Each of these opens or assembles devices on its own, or asks for a passphrase.
forbidden_modules=(
    crypt crypt-gpg crypt-loop systemd-cryptsetup clevis dmraid lvm lvmmerge lvmthinpool-monitor
    mdraid multipath resume systemd-creds systemd-repart systemd-sysext rescue debug
)

# called by dracut
check() {
    if [[ ! -x ${dracutsysrootdir-}$agent ]]; then
        derror "bootgate: $agent is missing; install the bootgate-initramfs package"
        return 1
    fi
    # Only when asked for: it changes how the machine boots.
    return 255
}

# called by dracut
depends() {
    echo systemd systemd-initrd systemd-networkd dm rootfs-block
}

# called by dracut
installkernel() {
    local module
    for module in "${required_modules[@]}"; do
        if ! modinfo -k "$kernel" "$module" &> /dev/null; then
            dfatal "bootgate: kernel $kernel has no module $module, which a launch needs"
            exit 1
        fi
    done
    hostonly='' instmods "${required_modules[@]}"
    hostonly='' instmods -o "${optional_modules[@]}"
}

# called by dracut
install() {
    local module unit

    for module in "${forbidden_modules[@]}"; do
        if dracut_module_included "$module"; then
            dfatal "bootgate: dracut module $module must be left out (omit_dracutmodules+=\" $module \")"
            exit 1
        fi
    done

    inst_multiple "$agent" modprobe
    # The agent's own configuration, where the owner put it into the image.
    inst_multiple -o -H /etc/bootgate/gate.conf

    for unit in bootgate-launch.service bootgate-check-root.service; do
        inst_simple "$moddir/$unit" "$systemdsystemunitdir/$unit"
    done
    inst_simple "$moddir/check-before-switch.conf" \
        "$systemdsystemunitdir/initrd-switch-root.service.d/bootgate.conf"
    inst_simple "$moddir/no-timeouts.conf" "/etc/systemd/system.conf.d/bootgate.conf"
    $SYSTEMCTL -q --root "$initdir" add-requires initrd-root-device.target bootgate-launch.service
    $SYSTEMCTL -q --root "$initdir" add-requires initrd-root-fs.target bootgate-check-root.service

    # An emergency is a power-off: no shell, no prompt. Units below /etc win over those of other
    # modules, whenever these are installed.
    for unit in emergency.service rescue.service dracut-emergency.service; do
        inst_simple "$moddir/no-shell.service" "/etc/systemd/system/$unit"
    done
    inst_simple "$moddir/never.conf" \
        "$systemdsystemunitdir/dracut-cmdline-ask.service.d/bootgate.conf"
    for unit in debug-shell.service \
        systemd-ask-password-console.path systemd-ask-password-console.service \
        systemd-ask-password-plymouth.path systemd-ask-password-plymouth.service \
        systemd-hibernate-resume.service; do
        ln -sf /dev/null "$initdir/etc/systemd/system/$unit"
    done

    # Generators that turn a partition table, a credential or a resume device into units.
    for unit in systemd-gpt-auto-generator systemd-debug-generator systemd-cryptsetup-generator \
        systemd-hibernate-resume-generator systemd-veritysetup-generator; do
        rm -f "$initdir${systemdutildir:?}/system-generators/$unit"
    done
}
