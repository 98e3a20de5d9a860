#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# clh: what is particular to the driver for Cloud Hypervisor. That containers run with it as they
# do with QEMU is shown by the other files, under KATA_DRIVER=cloud-hypervisor (suite "clh").

load helpers

setup()
{
	KATA_DRIVER=cloud-hypervisor
	e2e_setup
}

teardown()
{
	e2e_teardown
}

# without_driver: the configuration that says nothing
without_driver()
{
	: >"$T/kata.conf"
}

# trouble REQUEST:KIND: what the stand-in does wrong from now on
trouble()
{
	[ -z "${KATA_VMM:-}" ] || skip "hardware: a real VMM makes no trouble when told"
	echo "$1" >"$T/trouble"
}

# fails TEXT: create fails with one error that says so, and leaves nothing
fails()
{
	bundle b
	run ! create "$c" b
	one_error "$T/$c.err" "$1"
	run ! kata state "$c"
	equal "$(leaks)" ""
	rm -rf "$T/b"
}

@test "a container, its console, sizes, descriptors and files" {
	conf guest 'console = yes' 'memory = 192M' 'vcpus = 2'
	sh_bundle b 'nproc; awk "/MemTotal/ { print \$2 }" /proc/meminfo; cat /in/file; echo out >/in/new; exec sleep 1000' \
		'.mounts += [{"destination": "/in", "type": "bind", "source": "'"$T/in"'", "options": ["rbind"]}]'
	mkdir "$T/in"
	echo shared >"$T/in/file"
	start_container "$c" b
	wait_output "$c" shared
	equal "$(sed -n 1p "$T/$c.out")" 2
	[ "$(sed -n 2p "$T/$c.out")" -lt 196608 ]
	[ "$(sed -n 2p "$T/$c.out")" -gt 98304 ]
	eventually "$E2E_TIMEOUT" test -e "$T/in/new"
	has "$(cat "$ROOT/@$c/console.log")" 'Linux version'
	# connected to and forgotten: nobody else can talk to the VMM
	[ ! -e "$ROOT/@$c/vmm.api" ]
	kata delete --force "$c"
}

@test "the driver is chosen by an annotation, where that is allowed" {
	without_driver
	sh_bundle b 'echo here' \
		'.annotations["io.katacontainers.config.hypervisor.driver"] = "cloud-hypervisor"'
	run -1 kata run --bundle "$T/b" "$c"
	has "$output" 'cloud-hypervisor is not allowed by [runtime] allow_driver'
	# its own program is taken then, not [hypervisor] path, and that is not here
	[ -e /usr/bin/cloud-hypervisor ] || {
		conf runtime 'allow_driver = cloud-hypervisor'
		run -1 kata run --bundle "$T/b" "$c"
		has "$output" 'cloud-hypervisor'
		has "$output" 'no such file'
	}
}

@test "the annotation brings a container back to QEMU" {
	conf runtime 'allow_driver = qemu'
	sh_bundle b 'echo here; exec sleep 1000' \
		'.annotations["io.katacontainers.config.hypervisor.driver"] = "qemu"'
	start_container "$c" b
	wait_output "$c" here
	has "$(our_processes)" 'qemu-system'
	has_not "$(our_processes)" "$T/cloud-hypervisor"
}

@test "what it cannot do is refused by name" {
	local line
	for line in 'accel = tcg' 'machine = q35' 'vsock = vhost-user'; do
		[ "$(grep -c . "$T/kata.conf")" -gt 3 ] && sed -i '$d' "$T/kata.conf"
		echo "$line" >>"$T/kata.conf"
		fails "[hypervisor] ${line%% *}"
	done
}

@test "a disk: its image is read where its format can be" {
	local share=${KATA_RUNTIME%/bin/*}/share/kata
	truncate -s 8M "$T/disk"
	conf runtime "allow_kernel = $share/*" "allow_image = $T/*"
	sh_bundle b 'cat /sys/block/vda/size' \
		'.vm = { kernel: { path: "'"$share/vmlinux"'", initrd: "'"$share/initramfs.cpio"'" },
			image: { path: "'"$T/disk"'", format: "raw" } }'
	run -0 kata run --bundle "$T/b" "$c"
	equal "$output" 16384
	change "$T/b" '.vm.image.format = "vmdk"'
	run -1 kata run --bundle "$T/b" "$c"
	has "$output" 'vm.image.format: vmdk cannot be read by cloud-hypervisor'
}

@test "the VMM dies, says garbage, half an answer, too much, or no" {
	trouble vm.boot:die
	fails 'dying as told'
	# between two calls
	trouble vm.create:leave
	fails 'dying as told'
	trouble vmm.ping:garbage
	fails 'sent garbage on its API socket'
	trouble vm.create:half
	fails 'in the middle of the answer to PUT /api/v1/vm.create'
	trouble vm.create:huge
	fails 'a body longer than any answer'
	trouble vm.boot:refuse
	fails 'refused vm.boot: Error from API: The VM could not boot: Cannot open kernel file'
	trouble vm.info:noise
	fails 'sent garbage on its event monitor'
}

# At once, each with trouble of its own: they take as long as answers may. Of the calls from vm.boot on
# test_clh_vm tells: here the guest is up by then.
@test "a VMM that does not answer" {
	local id call pids=()
	trouble ''
	bundle b
	for call in vmm.ping vm.create; do
		id=$c-${call#*.}
		echo "$call:slow" >"$T/trouble-@$id"
		{ create "$id" b || touch "$T/failed-$id"; } 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	for call in ping create; do
		[ -e "$T/failed-$c-$call" ]
	done
	one_error "$T/$c-ping.err" 'did not answer GET /api/v1/vmm.ping within 10000 ms'
	one_error "$T/$c-create.err" 'did not answer PUT /api/v1/vm.create within 10000 ms'
	equal "$(leaks)" ""
}

@test "the VMM dies, says garbage or is silent when it is to end" {
	local what
	for what in vm.shutdown:slow vm.shutdown:garbage vmm.shutdown:die vm.shutdown:refuse; do
		trouble "$what"
		bundle b
		start_container "$c" b
		kata delete --force "$c"
		equal "$(leaks)" ""
		rm -rf "$T/b"
	done
}

@test "a kernel that is none, and one that is not there: the VMM's own words" {
	conf guest "kernel = $T/vmlinux"
	echo nothing >"$T/vmlinux"
	fails 'refused vm.boot: Error from API: The VM could not boot: '
	rm "$T/vmlinux"
	fails 'refused vm.boot: Error from API: The VM could not boot: Cannot open kernel file'
}

@test "a guest that resets is not booted anew" {
	# of a process that is in the guest's own pid namespace: it is the machine that goes
	sh_bundle b 'busybox reboot -f; exec sleep 1000' \
		'.linux.namespaces |= map(select(.type != "pid"))' \
		'.process.capabilities[] += ["CAP_SYS_BOOT"]'
	start_container "$c" b
	wait_stopped "$c"
	kata delete "$c"
}

@test "check says which one is there, and its version" {
	run kata check
	has "$output" "ok    hypervisor: ${KATA_VMM:-$T/cloud-hypervisor} (cloud-hypervisor v"
	has "$output" 'vsock: served by cloud-hypervisor'
}

@test "check names a cloud-hypervisor that is in PATH, with its version" {
	[ ! -e /usr/bin/cloud-hypervisor ] || skip "hardware: a real one is installed, which comes first"
	mkdir "$T/bin"
	printf '#!/bin/sh\necho "cloud-hypervisor v99.1"\n' >"$T/bin/cloud-hypervisor"
	chmod +x "$T/bin/cloud-hypervisor"
	without_driver
	run kata check
	has "$output" 'other hypervisors: /usr/bin/cloud-hypervisor: '
	PATH=$T/bin:$PATH run kata check
	has "$output" "other hypervisors: $T/bin/cloud-hypervisor (cloud-hypervisor v99.1; "
	conf hypervisor 'driver = cloud-hypervisor'
	PATH=$T/bin:$PATH run -1 kata check
	has "$output" "; there is $T/bin/cloud-hypervisor; install it or set [hypervisor] path"
	conf hypervisor "path = $T/bin/cloud-hypervisor"
	run kata check
	has "$output" "ok    hypervisor: $T/bin/cloud-hypervisor (cloud-hypervisor v99.1)"
}
