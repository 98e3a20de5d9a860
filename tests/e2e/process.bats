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

# hook NAME SCRIPT: a program below the root of $T/b
hook()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$T/b/rootfs/bin/$1"
	chmod 755 "$T/b/rootfs/bin/$1"
}

@test "startContainer hooks: in the container, as its user, before the program" {
	sh_bundle b 'cat /tmp/seen; echo program' '.process.user = {"uid": 1000, "gid": 1000}' \
		'.process.env += ["OF=program"]' '.process.cwd = "/home/user"' '.annotations = {"a.b": "c"}' \
		'.hooks = {"startContainer": [
			{"path": "/bin/one", "args": ["first", "arg"]},
			{"path": "/bin/two", "env": ["PATH=/bin", "OF=hook"], "timeout": 50}]}'
	hook one 'exec >>/tmp/seen; echo "$1 $OF $(id -u) $(pwd) $$ $PPID"; cat; echo; grep CapEff /proc/self/status; echo lost >&2'
	hook two 'exec >>/tmp/seen; env | grep ^OF; sleep 1; echo two'
	create "$c" b
	[ ! -e "$T/b/rootfs/tmp/seen" ]
	kata start "$c"
	wait_stopped "$c"
	mapfile -t lines <"$T/$c.out"
	has "${lines[0]}" "arg program 1000 /home/user "
	equal "${lines[0]##* }" 1
	equal "$(jq -r '"\(.id) \(.status) \(.pid) \(.bundle) \(.annotations["a.b"])"' <<<"${lines[1]}")" \
		"$c created 1 $T/b c"
	equal "${lines[2]}" $'CapEff:\t0000000000000000'
	equal "$(printf '%s\n' "${lines[@]:3}")" $'OF=hook\ntwo\nprogram'
	has_not "$(cat "$T/$c.err")" lost
}

@test "a startContainer hook that fails, lasts too long, or is not there ends the container" {
	sh_bundle b 'echo program' '.hooks = {"startContainer": [{"path": "/bin/true"},
		{"path": "/bin/bad"}, {"path": "/bin/never"}]}'
	hook bad 'echo some; echo boom >&2; exit 3'
	hook never 'touch /never'
	create "$c" b
	run kata start "$c"
	[ "$status" -ne 0 ]
	has "$output" "error running startContainer hook #1: exit status 3, stdout: some, stderr: boom"
	wait_stopped "$c"
	equal "$(cat "$T/$c.out")" ""
	[ ! -e "$T/b/rootfs/never" ]
	kata delete "$c"
	change "$T/b" '.hooks.startContainer = [{"path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1}]'
	run kata run --bundle "$T/b" "$c"
	[ "$status" -ne 0 ]
	has "$output" "error running startContainer hook #0: hook ran past specified timeout of 1.0s"
	change "$T/b" '.hooks.startContainer = [{"path": "'"$T"'/b/rootfs/bin/bad"}]'
	run kata run --bundle "$T/b" "$c"
	[ "$status" -ne 0 ]
	has "$output" "error running startContainer hook #0: "
	has "$output" "no such file or directory"
}

no_zombie()
{
	[ -z "$(kata exec "$c" sh -c 'grep -l "^State:.Z" /proc/[0-9]*/status')" ]
}

@test "SIGTERM: pid 1 without a handler ignores it; without a pid namespace it ends the program" {
	bundle b '.process.args = ["sleep", "1000"]'
	start_container "$c" b
	kata kill "$c" TERM
	# delivered and passed over: what comes after it is seen
	equal "$(kata exec "$c" sh -c 'grep -E "^(SigPnd|ShdPnd)" /proc/1/status')" \
		$'SigPnd:\t0000000000000000\nShdPnd:\t0000000000000000'
	is_status "$c" running
	kata kill "$c" KILL
	wait_stopped "$c"
	kata delete "$c"
	# orphans are its own to reap where it is pid 1; where it is not, the agent does
	bundle b2 '.process.args = ["sh", "-c", "(true &); (sleep 0 &); trap \"exit 7\" USR1; echo up; while :; do sleep 0.1; done"]' \
		'.linux.namespaces |= map(select(.type != "pid"))'
	adopt "$KATA_RUNTIME" --root "$ROOT" create --bundle "$T/b2" --pid-file "$T/pid" "$c"
	kata start "$c"
	eventually 60 no_zombie
	kata kill "$c" USR1
	equal "$(exit_of "$(cat "$T/pid")")" 7
	kata delete "$c"
	bundle b3 '.process.args = ["sleep", "1000"] | .linux.namespaces |= map(select(.type != "pid"))'
	adopt "$KATA_RUNTIME" --root "$ROOT" create --bundle "$T/b3" --pid-file "$T/pid" "$c"
	kata start "$c"
	kata kill "$c" TERM
	equal "$(exit_of "$(cat "$T/pid")")" 143
}
