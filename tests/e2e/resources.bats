#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# resources: linux.resources in the guest, the VM that is made to their measure, and that they are
# kept. Limits on the host: cgroups.bats; devices: devices.bats.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	e2e_teardown
}

with_cgroup='.mounts += [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"}] |
	.linux.namespaces += [{"type": "cgroup"}]'

# controls FILE...: of the container's own group
controls()
{
	kata exec "$c" sh -c 'cd /sys/fs/cgroup && for f; do echo "$f $(cat $f)"; done' sh "$@"
}

# joins PID: filter for a container in the VM of that shim
joins()
{
	echo '.linux.namespaces |= map(if .type == "network" then .path = "/proc/'"$1"'/ns/net" else . end)'
}

@test "limits are the guest's, in its own numbers; the VM is made to their measure; a fork bomb" {
	local total
	sh_bundle b 'while :; do sleep 1000; done' "$with_cgroup" '.linux.resources = {
		"memory": {"limit": 67108864, "swap": 67108864, "reservation": 33554432},
		"cpu": {"shares": 512, "quota": 90000, "period": 100000, "burst": 1000, "cpus": "1", "mems": "0"},
		"pids": {"limit": 20}, "hugepageLimits": [{"pageSize": "2MB", "limit": 4194304},
			{"pageSize": "16GB", "limit": 0}],
		"unified": {"memory.high": "62914560"}}'
	start_container "$c" b
	equal "$(controls memory.max memory.low memory.high cpu.weight cpu.max cpu.max.burst cpuset.cpus \
		cpuset.mems pids.max hugetlb.2MB.max)" "$(printf '%s\n' 'memory.max 67108864' \
		'memory.low 33554432' 'memory.high 62914560' 'cpu.weight 20' 'cpu.max 90000 100000' \
		'cpu.max.burst 1000' 'cpuset.cpus 0' 'cpuset.mems 0' 'pids.max 20' 'hugetlb.2MB.max 4194304')"
	equal "$(kata exec "$c" nproc)" 1
	# the limit and what a kernel and the agent need, not the default of 256 MB
	total=$(kata exec "$c" awk '/^MemTotal/ { print $2 }' /proc/meminfo)
	[ "$total" -gt $((64 << 10)) ]
	[ "$total" -lt $((160 << 10)) ]

	# a fork bomb ends at the limit, and the container is usable afterwards
	run kata exec "$c" sh -c 'i=0; while [ $i -lt 40 ]; do sleep 60 & i=$((i + 1)); done; echo all'
	has "$output" fork
	has_not "$output" all
	# all but init, which is a shell
	kata exec "$c" sh -c 'kill -9 -1' || true
	kata update --pids-limit 30 --cpu-quota 50000 "$c"
	equal "$(controls pids.max cpu.max)" $'pids.max 30\ncpu.max 50000 100000'
}

@test "a hog is killed at its limit, and its neighbour, the agent and the VM live" {
	local pid
	sh_bundle b 'sleep 1000' "$with_cgroup" '.linux.resources.memory = {"limit": 67108864}'
	start_container "$c" b
	pid=$(cat "$T/$c.pid")
	sh_bundle b2 'exec tail /dev/zero' "$(joins "$pid")" '.linux.resources.memory = {"limit": 25165824}'
	create "$c-2" b2
	kata start "$c-2"
	wait_stopped "$c-2"
	equal "$(status_of "$c")" running
	equal "$(kata exec "$c" cat /sys/fs/cgroup/memory.max)" 67108864
	run kata exec "$c" sh -c 'tail /dev/zero; echo "ended with $?"'
	has "$output" "ended with 137"
	equal "$(kata exec "$c" awk '$1 == "oom_kill" { print $2 }' /sys/fs/cgroup/memory.events)" 1
	equal "$(status_of "$c")" running

	# block I/O is the VM's, in the group of its first container
	conf runtime 'unsupported = refuse'
	bundle b3 "$(joins "$pid")" '.linux.resources.blockIO.weight = 100'
	run ! create "$c-3" b3
	has "$output" "linux.resources.blockIO: a VM does its I/O in the group of its first container"
}
