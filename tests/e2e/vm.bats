#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# vm: the bundle's vm section, and the machine that comes of it.

load helpers

setup()
{
	e2e_setup
	share=${KATA_RUNTIME%/bin/*}/share/kata
}

teardown()
{
	e2e_teardown
}

@test "vm.kernel is refused where the configuration does not allow it" {
	bundle b ".vm = { kernel: { path: \"$T/vmlinux\" } }"
	run -1 kata run --bundle "$T/b" "$c"
	has "$output" 'vm.kernel.path'
	has "$output" 'allow_kernel'
}

@test "vm.kernel and its initrd are used where the configuration allows them" {
	mkdir "$T/guest"
	cp "$share/vmlinux" "$share/initramfs.cpio" "$T/guest"
	conf runtime "allow_kernel = $T/guest/*"
	sh_bundle b 'echo from the VM; exec sleep 100' \
		".vm = { kernel: { path: \"$T/guest/vmlinux\", initrd: \"$T/guest/initramfs.cpio\" } }"
	start_container "$c" b
	wait_output "$c" 'from the VM'
	has "$(tr '\0' ' ' <"/proc/$(vmm_pid)/cmdline")" "-kernel $T/guest/vmlinux"
}

# the VMM is a child of the sandbox
vmm_pid()
{
	pgrep -P "$(record "$c" .sandbox.pid)" qemu
}

@test "vm.kernel.parameters are refused, and used where allowed" {
	sh_bundle b 'cat /proc/cmdline' \
		".vm = { kernel: { path: \"$share/vmlinux\", initrd: \"$share/initramfs.cpio\", parameters: [\"kata.test=1\"] } }"
	conf runtime "allow_kernel = $share/*"
	run -1 kata run --bundle "$T/b" "$c"
	has "$output" 'vm.kernel.parameters'
	echo 'allow_kernel_params = yes' >>"$T/kata.conf"
	run -0 kata run --bundle "$T/b" "$c"
	has "$output" 'kata.test=1'
}

@test "vm.hwConfig: vcpus and memory are the guest's" {
	sh_bundle b 'grep -c ^processor /proc/cpuinfo; awk "/MemTotal/ { print (\$2 > 200000 && \$2 < 262144) }" /proc/meminfo' \
		".vm = { kernel: { path: \"$share/vmlinux\", initrd: \"$share/initramfs.cpio\" }, hwConfig: { vcpus: 2, memory: 268435456 } }"
	conf runtime "allow_kernel = $share/*"
	run -0 kata run --bundle "$T/b" "$c"
	equal "$output" "2"$'\n'"1"
}

@test "vm.hwConfig: Xen's properties are refused by name" {
	bundle b \
		".vm = { kernel: { path: \"$share/vmlinux\" }, hwConfig: { deviceTree: \"/x.dtb\" } }"
	conf runtime "allow_kernel = $share/*"
	run -1 kata run --bundle "$T/b" "$c"
	has "$output" 'vm.hwConfig.deviceTree'
}

@test "vm.hypervisor is refused, and used where allowed" {
	printf '#!/bin/sh\nexec %s "$@"\n' "$(type -p qemu-system-x86_64)" >"$T/my-vmm"
	chmod +x "$T/my-vmm"
	sh_bundle b 'echo here' \
		".vm = { hypervisor: { path: \"$T/my-vmm\" }, kernel: { path: \"$share/vmlinux\", initrd: \"$share/initramfs.cpio\" } }"
	conf runtime "allow_kernel = $share/*"
	run -1 kata run --bundle "$T/b" "$c"
	has "$output" 'vm.hypervisor.path'
	has "$output" 'allow_hypervisor'
	echo "allow_hypervisor = $T/*" >>"$T/kata.conf"
	start_container "$c" b
	wait_output "$c" here
}

@test "vm.image is refused where it is not allowed, and attached where it is" {
	truncate -s 8M "$T/disk.raw"
	sh_bundle b 'cat /sys/block/vda/size' \
		".vm = { kernel: { path: \"$share/vmlinux\", initrd: \"$share/initramfs.cpio\" }, image: { path: \"$T/disk.raw\", format: \"raw\" } }"
	conf runtime "allow_kernel = $share/*"
	run -1 kata run --bundle "$T/b" "$c"
	has "$output" 'vm.image.path'
	echo "allow_image = $T/*" >>"$T/kata.conf"
	run -0 kata run --bundle "$T/b" "$c"
	equal "$output" 16384
}

@test "q35 runs containers too" {
	conf hypervisor 'machine = q35'
	run -0 in_container 'echo on q35'
	equal "$output" 'on q35'
}

@test "an emulated processor is what auto falls back to, and what tcg says" {
	conf hypervisor 'accel = tcg'
	sh_bundle b 'echo "CPUs $(cat /sys/devices/system/cpu/possible), up"; exec sleep 100'
	start_container "$c" b
	wait_output "$c" "CPUs 0, up" # the room for a second processor is not seen
	has "$(tr '\0' ' ' <"/proc/$(vmm_pid)/cmdline")" '-accel tcg'
}

# under TCG, with one vCPU and no room for more, a locked instruction is none: 92 to 165 of 10000 were lost
@test "what a guest writes before a locked instruction is seen by its devices" {
	local cpus vmm ram create
	[ "$(uname -m)" = x86_64 ] || skip "hardware: the guest is x86 code"
	mapfile -t cpus < <(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)), sep="\n")')
	[ ${#cpus[@]} -ge 2 ] || skip "hardware: one processor: guest and device never run at once"
	gcc -O2 -Wall -o "$T/device" "$e2e_dir/barrier.c"
	gcc -m32 -nostdlib -static -Wl,-Ttext=0x100000,--build-id=none -o "$T/guest" "$e2e_dir/barrier.S"
	conf guest "kernel = $T/guest"
	bundle b
	kata create --bundle "$T/b" "$c" </dev/null >"$T/out" 2>&1 &
	create=$!
	eventually 20 vmm_pid
	vmm=$(vmm_pid)
	eventually 20 eval 'ram=$(find /proc/$vmm/fd -lname "/memfd:memory-backend*")'
	# each on a processor of its own, before others: what counts is only when both run
	taskset -a -c -p "${cpus[1]}" "$vmm" >&2
	renice -n -5 $$ $(ls "/proc/$vmm/task") >&2 || true
	run -0 taskset -c "${cpus[0]}" "$T/device" "$ram"
	has "$output" ' 0 were lost'
	kata delete --force "$c"
	! wait "$create"
}
