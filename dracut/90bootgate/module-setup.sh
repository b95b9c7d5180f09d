#!/bin/bash
# dracut module: open the root disk through Bootgate, and through nothing else.
#
# Everything that could open, assemble, resume or mount something beside it, or talk to whoever sits
# at the host's console, is kept out or replaced by a power-off.
#
# shellcheck disable=SC2154 # kernel, moddir, initdir and the systemd paths are dracut's

# Where the package puts the agent; the same path is used in the initramfs.
agent=/usr/lib/bootgate/bootgate-initramfs

# Without these no launch can succeed.
required_modules=(configfs dm_mod dm_crypt aesni_intel xts qemu_fw_cfg)

# Drivers of secure processors, of which a kernel must have one; they bring tsm along where the kernel
# has it.
processor_modules=(sev-guest tdx-guest)

# Disks, network cards and the file systems a gate.conf may travel on, where the kernel has them.
optional_modules=(
    virtio_pci virtio_blk virtio_scsi virtio_net sd_mod nvme hv_storvsc hv_netvsc gve ena
    ecb cbc ctr essiv sha256_ssse3 vfat nls_cp437 nls_iso8859-1 nls_ascii
    vmw_vsock_virtio_transport
)

# What a TPM quote needs: drivers, and tpm2-tss, which the agent loads by these names.
tpm_modules=(tpm_crb tpm_tis)
tpm_libraries=(libtss2-esys.so.0 libtss2-mu.so.0 libtss2-tcti-device.so.0)

# Each of these opens or assembles devices on its own, or asks for a passphrase.
forbidden_modules=(
    crypt crypt-gpg crypt-loop systemd-cryptsetup clevis dmraid lvm lvmmerge lvmthinpool-monitor
    mdraid multipath resume systemd-creds systemd-repart systemd-sysext rescue debug
)

# What systemd hands to the kernel before it starts anything, on the root and in an initramfs.
ima_policy=/etc/ima/ima-policy

# Whether launches of this image quote a TPM: its gate.conf says so, or `bootgate_tpm=yes` in
# dracut.conf.d, for an image whose gate.conf comes from elsewhere.
wants_tpm() {
    [[ ${bootgate_tpm-} == yes ]] && return 0
    grep -qsE '^ *tpm_quote *= *yes *$' "${dracutsysrootdir-}/etc/bootgate/gate.conf"
}

# Whether the IMA policy can count in an initramfs: rules by label need SELinux' own policy, which is loaded
# from the root, and the kernel refuses all of a policy with an undefined label.
ima_policy_without_labels() {
    local policy=${dracutsysrootdir-}$ima_policy
    [[ -f $policy ]] || return 1
    grep -qE '^[^#]*(obj|subj)_(user|role|type)=' "$policy" || return 0
    dwarn "bootgate: $ima_policy names labels: it counts from the root on, not in the initramfs"
    return 1
}

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
    for module in "${processor_modules[@]}" ''; do
        if [[ -z $module ]]; then
            dfatal "bootgate: kernel $kernel has none of the modules ${processor_modules[*]}"
            exit 1
        fi
        modinfo -k "$kernel" "$module" &> /dev/null && break
    done
    hostonly='' instmods "${required_modules[@]}"
    hostonly='' instmods -o "${processor_modules[@]}"
    if wants_tpm; then hostonly='' instmods -o "${tpm_modules[@]}"; fi
    hostonly='' instmods -o "${optional_modules[@]}"
}

# called by dracut
install() {
    local library module unit

    for module in "${forbidden_modules[@]}"; do
        if dracut_module_included "$module"; then
            dfatal "bootgate: dracut module $module must be left out (omit_dracutmodules+=\" $module \")"
            exit 1
        fi
    done

    inst_multiple "$agent" modprobe
    # The agent's own configuration, where the owner put it into the image.
    inst_multiple -o -H /etc/bootgate/gate.conf
    # The launch digest covers it here, and what the initramfs writes and reads for itself, other at each boot,
    # stays out of the log.
    if ima_policy_without_labels; then inst_simple "$ima_policy"; fi

    if wants_tpm; then
        # Needed by esys; dracut follows what executables need, not what their libraries do.
        inst_libdir_file 'libtss2-sys.so.*'
        for library in "${tpm_libraries[@]}"; do
            inst_libdir_file "$library*"
            if ! compgen -G "$initdir/usr/lib*/$library" > /dev/null \
                && ! compgen -G "$initdir/usr/lib/*/$library" > /dev/null; then
                dfatal "bootgate: a TPM quote needs $library of tpm2-tss, which is not installed"
                exit 1
            fi
        done
    fi

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
