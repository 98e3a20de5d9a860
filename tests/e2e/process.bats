#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# process: properties of a process beyond user, capabilities and limits (container.bats), and
# what exec inherits of them.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	e2e_teardown
}

# policy, real-time priority and nice value of a shell, from stat's fields 41, 40 and 19
show='set -- $(cat /proc/$$/stat); echo ${41} ${40} ${19}; ionice -p $$; uname -m; umask
	grep Cpus_allowed_list /proc/self/status; head -n 1 /proc/self/numa_maps | cut -d " " -f 2
	grep -E "CapPrm|NoNewPrivs" /proc/self/status; ulimit -n'

@test "scheduler, I/O priority, personality, memory policy; what exec inherits" {
	sh_bundle b "$show; echo done; exec sleep 1000" '.process.user = {"uid": 0, "gid": 0, "umask": 54}' \
		'.process.scheduler = {"policy": "SCHED_FIFO", "priority": 5}' \
		'.process.ioPriority = {"class": "IOPRIO_CLASS_RT", "priority": 2}' \
		'.linux.personality = {"domain": "LINUX32"}' \
		'.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0"}' \
		'.process.execCPUAffinity = {"initial": "0", "final": "0"}'
	start_container "$c" b
	wait_output "$c" done
	want=$'1 5 0\nrealtime: prio 2\ni686\n0066\nCpus_allowed_list:\t0\nbind:0\nCapPrm:\t0000000020000420\nNoNewPrivs:\t1\n1024'
	equal "$(head -n -1 "$T/$c.out")" "$want"
	equal "$(kata exec "$c" sh -c "$show")" "$want"
	# a document that says nothing of them, as engines write it: only noNewPrivileges is its own
	jq -n --arg s "$show" '{cwd: "/", args: ["sh", "-c", $s], env: ["PATH=/bin"]}' >"$T/bare.json"
	equal "$(kata exec --process "$T/bare.json" "$c")" "${want/NoNewPrivs:$'\t'1/NoNewPrivs:$'\t'0}"
	jq '.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 4200000, "deadline": 10000000,
			"period": 100000000, "flags": ["SCHED_FLAG_RESET_ON_FORK"]} |
		.ioPriority = {"class": "IOPRIO_CLASS_IDLE", "priority": 0} |
		.execCPUAffinity = {"initial": "0"}' "$T/bare.json" >"$T/own.json"
	run -0 kata exec --process "$T/own.json" "$c"
	has "${lines[0]}" "6 0 "
	equal "${lines[1]}" idle
	jq '.execCPUAffinity = {"final": "0-63"}' "$T/bare.json" >"$T/far.json"
	run kata exec --process "$T/far.json" "$c"
	[ "$status" -ne 0 ]
	has "$output" "process.execCPUAffinity.final: CPU 1 is not one of the VM's, which has 0"
}

@test "what the guest has not is refused by name" {
	bundle b '.process.execCPUAffinity = {"initial": "900"}'
	run kata run --bundle "$T/b" "$c"
	[ "$status" -ne 0 ]
	has "$output" "process.execCPUAffinity.initial: CPU 900 is not one of the VM's"
	bundle b '.linux.memoryPolicy = {"mode": "MPOL_PREFERRED", "nodes": "7"}'
	run kata run --bundle "$T/b" "$c"
	[ "$status" -ne 0 ]
	has "$output" "linux.memoryPolicy.nodes: node 7 is not one of the VM's, which has 0"
	bundle b '.process.scheduler = {"policy": "SCHED_ISO"}'
	run kata run --bundle "$T/b" "$c"
	[ "$status" -ne 0 ]
	has "$output" "process.scheduler: error setting scheduler: invalid argument"
	bundle b '.linux.intelRdt = {"closID": "x"}'
	run kata run --bundle "$T/b" "$c"
	[ "$status" -ne 0 ]
	has "$output" "linux.intelRdt: "
	bundle b '.process.capabilities.bounding += ["CAP_OF_TOMORROW"]'
	run -0 kata --debug run --bundle "$T/b" "$c"
	has "$output" "ignoring unknown or unavailable capabilities: [CAP_OF_TOMORROW]"
}

@test "a session keyring for each container, unless told not to" {
	sh_bundle b 'grep "_ses.'"$c"':" /proc/keys; echo done' '.linux.maskedPaths = []'
	run -0 kata run --bundle "$T/b" "$c"
	has "${lines[0]}" "keyring   _ses.$c:"
	# owner's processes of other sessions may search it
	[ $((0x$(awk '{ print $5; exit }' <<<"$output") & 0x80000)) -ne 0 ]
	run -0 kata run --no-new-keyring --bundle "$T/b" "$c"
	equal "$output" done
}
